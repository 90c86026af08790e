"""Words that tell a name from what follows it: first names heard in Morocco, and words that are never a name.

All in lower case, without accents and without the marks of Arabic letters.
"""

from __future__ import annotations


def _words(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


FIRST_NAMES = _words(
    """
    mohamed mohammed mouhamed muhammed mhamed simohamed ahmed hmad 7mad ali 3li hassan 7assan hassane hussein houcine
    l7oussine lhoucine youssef yousef yousf youssouf yassine yasin yassin omar 3omar othmane otmane 3otman karim kamal
    khalid khaled rachid rachide said sa3id saad sa3d samir soufiane sofiane anas anass ayoub hamza 7amza hicham hichame
    ibrahim brahim idriss driss ismail isma3il jamal jawad mehdi mahdi mounir mourad mustapha mustafa mostafa mostapha
    nabil nordine noureddine nourddine abdellah abdelah 3abdellah abdallah abdelaziz abdelilah abdelkader abdelkrim
    abdelhak abdelhadi abdeslam abdessamad abderrahim abderrahman aziz 3aziz bilal badr taha tarik tariq tawfiq taoufik
    walid younes younous youness zakaria zakariae adil 3adil adnane 3adnan amine aymane ayman aissa 3issa fouad reda
    redouane ridouane marouane marwane larbi l3arbi lahcen l7sn lhassan fatima fatema fatimazahra fatiha fati fadma
    khadija khadouj aicha 3aicha 3icha amina naima na3ima najat najia nadia nawal nezha nisrine ilham imane iman hanane
    7anan hafida 7afida halima 7alima hayat 7ayat houda asmae asma asmaa meryem mariam maryam meriem rachida rahma
    ra7ma rabia rabi3a salma samira sanae sanaa sara sarah siham soukaina soukayna sokaina souad so3ad zineb zaynab
    zahra zohra zahia zakia wafae wafa widad hind hajar ghita kaoutar kawtar karima kenza laila leila latifa loubna
    malika mina mouna jamila fadwa btissam ibtissam bouchra chaimae chaimaa dounia ikram jihane oumaima safae yasmine
    pierre jean marie nicolas sophie
    محمد احمد علي حسن الحسن حسين الحسين لحسن يوسف ياسين عمر عثمان كريم كمال خالد رشيد سعيد سعد سمير سفيان انس ايوب
    حمزه حمزة هشام ابراهيم ابراهم برهيم ادريس دريس اسماعيل جمال جواد مهدي المهدي منير مراد مصطفي مصطفى نبيل نورالدين
    عبدالله عبدالعزيز عبدالاله عبدالقادر عبدالكريم عبدالحق عبدالهادي عبدالسلام عبدالصمد عبدالرحيم عبدالرحمان عبد عزيز
    بلال بدر طه طارق توفيق وليد يونس زكرياء زكريا عادل عدنان امين ايمن عيسي عيسى فواد رضا رضوان مروان العربي
    فاطمه فاطمة فتيحه فتيحة خديجه خديجة عايشه عايشة عائشة عيشه عيشة امينه امينة نعيمه نعيمة نجاه نجاة ناديه نادية
    نوال نزهه نزهة نسرين الهام ايمان حنان حفيظه حفيظة حليمه حليمة حياه حياة هدي هدى اسماء مريم رشيده رشيدة رحمه رحمة
    ربيعه ربيعة سلمي سلمى سميره سميرة سناء ساره سارة سهام سكينه سكينة سعاد زينب الزهراء زهره زهرة زهرا وفاء وداد هند
    هاجر غيته غيثة كوثر كريمه كريمة كنزه كنزة ليلي ليلى لطيفه لطيفة لبني لبنى مليكه مليكة مني منى جميله جميلة
    ابتسام بشري بشرى شيماء دنيا اكرام جيهان اميمه اميمة صفاء ياسمين
    """
)

NOT_NAMES = _words(
    """
    a au aux avec bon bonjour bonsoir c ce cela cette ces c'est ca car chez comment comme dans de des depuis deja du
    d' donc dsl elle en encore est et etre eu fait faire faut gerant gerante il ils j ai j'ai jai je jsuis la le les
    leur l'entreprise ma mais me merci mes mon moi ne ni non nous on ou oui par pas patron patronne petit petite
    plus pour pr prof propre proprietaire peux puis que quel quelle qui
    quoi responsable sa salam salut sans se ses si sinon son
    suis sur svp stp tu un une veux voudrais vous y bien artisan artisane commercant commercante auto entrepreneur
    auto-entrepreneur autoentrepreneur associe associee directeur directrice client cliente vendeur vendeuse contact
    societe entreprise cooperative magasin boutique restaurant cafe salon atelier garage riad
    ana howa hiya hwa hya ntouma ntoma 7na hna 7it hit walakin walakine wlkin w wa wla ola o f fi fin fain b bi l li
    mn men mne m3a ma3a 3la 3ala 3nd 3nda 3ndi 3endi andi 3andi kan kant knt kount kayn kayna kaynin khdam khdama
    khddam khddama khadam khadama kankhdem kanbi3 kanbe3 kansowel kandir kansayb kanssewb nkhdem mol moul moulat mola
    mul lmoul bghit bghyt bghina baghi bagha baghya baghin khassni khasni khesni kheshni chi chwiya had hada hadi hadak
    dak dik dyal dial dyali dyalna d dl daba dakchi db 7anout hanout l7anout lhanout sa7b sa7eb sahb sa7bet m9awl
    m9awla lmouhim wahed wa7d wa7ed wa7da ghir gha gher bzaf bzzaf mzyan mazal makan makanch machi mach ma3ndich
    ma3reftch n9der n9dr ch7al chhal chkoun chno chnou achno ach wach wech wakha safi fhmt mafhmtch
    msta3d sakn sakna saken mn7ed mnhed 3afak 3afakom salamo ssalam jit jaya jay ghadi gadi ndir nbi3 tajer m3lem m3alem
    m3lm m3alma lm3lem fellah fella7 tabib m3aya rafiq moukawil katban kola ghalta ghalat mktouba mktoba msjla temma
    3endkom 3ndkom weld wld bent tout tous sera seront quelque tant
    انا هو هي حنا نتوما و او ولا ف في فين ب من مع علي على عند عندي عندنا كان كانت كنت كاين كاينه كاينة خدام خدامه خدامة
    كنخدم كنبيع كندير كنصاوب نخدم مول مولات صاحب صاحبه صاحبة بغيت بغينا باغي باغيه باغية خاصني خصني شي شويه شوية
    هاد هادا هادي هداك داك ديك ديال ديالي ديالنا دابا الحانوت حانوت محل المحل شركه شركة تعاونيه تعاونية مقاول مقاوله
    مقاولة واحد واحده واحدة غير بزاف مزيان مازال ماشي ماعنديش ماعرفتش ماعرفت كنقدر نقدر شحال شكون شنو اشنو واش واخا
    صافي فهمت مافهمتش ساكن ساكنه ساكنة عافاك عافاكم جيت جاي جايه جاية غادي ندير نبيع تاجر تاجره تاجرة معلم معلمه معلمة
    فلاح فلاحه فلاحة حيت ولكن الي اللي لي باش عطيني عاونوني كنسول كنسولكم شكرا رفيق مكتوبه مكتوبة محفوظه محفوظة تتمسح
    غلط فشي عندكم تم ولد بنت
    """
)
