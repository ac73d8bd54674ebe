"""What looks like phishing is refused, and what institutions write is not; in both languages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.examples import examples
from ussdapp.core.phishing import LINK, MONEY, SECRET, ValueCheck, of_worded, suspicion
from ussdapp.core.placeholders import worded

ASKS = (
    "Tuma PIN yako kwenda 0754000001",
    "Tafadhali tuma namba yako ya siri ili upokee malipo",
    "Akaunti yako imefungwa. Tuma neno la siri ulifungue",
    "Ndugu mteja, tutumie nywila yako ya barua pepe",
    "Umeshinda TZS 1,000,000! Nitumie OTP uliyopokea sasa hivi",
    "Jibu ujumbe huu kwa PIN yako",
    "Thibitisha akaunti yako kwa kutuma OTP kwa namba hii",
    "Andika jina, namba ya NIDA na PIN yako kisha tuma 15200",
    "Ingiza PIN yako hapa kuhakiki usajili",
    "Weka nywila yako kuthibitisha taarifa zako",
    "Toa CVV ya kadi yako kukamilisha malipo",
    "PIN yako tuma kwa 0754000001",
    "Nywila yako ni ipi?",
    "Tunaomba namba ya siri ya M-Pesa yako",
    "Tunahitaji PIN yako kukurejeshea fedha",
    "Unatakiwa kutuma neno siri lako kabla ya saa 6 mchana",
    "Hakikisha unajibu. Tuma p.i.n yako sasa",
    "TUMA P I N YAKO KWA AFISA WETU",
    "Ndugu, taja OTP uliyopokea kwa afisa atakayekupigia",
    "Usikawie, tuma PIN yako leo",
    "Wasilisha nenosiri lako kwa afisa TEHAMA",
    "Laini yako itafungwa. Mpe afisa wetu namba ya siri",
    "Nywila yako inahitajika kuhuisha akaunti",
    "Jaza namba ya siri ya kadi yako kwenye fomu",
    "Tuma 0TP uliyopokea",
    "Tuma РIN yako",  # its first letter is Cyrillic
    "Tuma PI\u200bN yako",
    "Taja tarakimu tatu zilizo nyuma ya kadi yako",
    "Send your PIN to 0754000001",
    "Reply with your password to keep your account",
    "Please share the OTP you received with our officer",
    "Your account is blocked. Enter your PIN to unblock it",
    "Confirm your password by replying to this message",
    "Provide your card number and CVV to receive your refund",
    "To receive your tax refund, submit your PIN",
    "What is your PIN?",
    "We need your PIN to process the payment",
    "You are required to send your password within 24 hours",
    "Don't delay, send your PIN now",
    "Verify your identity by sending the verification code",
    "Text us your OTP and NIDA number",
    "Kindly provide your one-time password",
    "Your PIN must be sent to our office today",
    "Forward the security code to 15200",
    "Tell us your P-I-N",
    "Give our agent your p@ssword",
    "If you want your refund, send your PIN",
)
LINKS = (
    "Lipa hapa: https://bit.ly/3abcd",
    "Lipa bili yako bit.ly/maji",
    "Hakiki taarifa zako tinyurl.com/nida-tz",
    "Tembelea http://tra-bili.com sasa",
    "Tembelea tra-bili.com",
    "Ingia www.nida-tanzania.net kuhakiki",
    "Bofya https://tra.go.tz@evil.com/lipa",
    "Bofya tra.go.tz@evil.com",
    "Bofya https://tra.go.tz.evil.com/lipa",
    "Bofya https://tra.go.tz\\@evil.com",
    "Bofya https://evil.com#tra.go.tz",
    "Bofya https://evil.com/tra.go.tz",
    "Bofya http://192.168.10.4/lipa",
    "Bofya 41.59.12.7/lipa",
    "Bofya http://3232235777",
    "Bofya http://0x7f000001/",
    "Bofya https://xn--tr-fka.go.tz",
    "Bofya https://trа.go.tz/lipa",  # its last letter is Cyrillic
    "Bofya https://ｔｒａ.evil。com",
    "Bofya www.trá.go.tz",
    "Bofya evil[.]com/lipa",
    "Bofya evil . com/lipa",
    "Bofya evil dot com",
    "Bofya evil (dot) com",
    "Bofya hxxps://evil.xyz",
    "Bofya bit . ly/3abcd",
    "Bofya bit. ly/3abcd",
    "Bofya b i t . l y / 3 a b c d",
    "Bofya w w w . evil . com",
    "Bofya www. evil.xyz",
    "Bofya https: //evil.com",
    "Bofya HTTP://EVIL.COM",
    "BOFYA TRA-BILI.COM",
    "Jiunge na t.me/tra_bili",
    "Andika wa.me/255754000001",
    "Lipa kwa tra.co.tz",
    "Soma zaidi www.habari.or.tz",
    "Soma zaidi chuo.ac.tz/fomu",
    "Andika kwa malipo.tra@gmail.com",
    "Andika kwa tra@yahoo.com upate fedha",
    "Lipa trago.tz",
    "Lipa tra-go.tz/bili",
    "Pay at nida-verify.xyz",
    "Your refund is at gov-refund.top",
    "Claim at claim.online",
    "Click ((kiungo)).com".replace("((kiungo))", "0x0"),
    "See shorturl.at",
    "Go to goo.gl/abc today",
    "Go to is.gd/abc",
    "Visit https://tra.go.tz/redirect?url=http://evil.com",
    "Visit (evil.com)",
    "Visit evil.com.Asante",
    "Visit https://www.tra.go.tz%2eevil.com",
    "Visit https://user:pass@tra.go.tz",
    "Visit ftp://files.example.net/a",
    "Visit intent://scan/#Intent",
    "Imepokelewa.Bofya evil.icu/a",
)
MONEY_ASKS = (
    "Umeshinda TZS 500,000! Tuma pesa 10,000 kwa 0754000111",
    "Hongera! Ili kupata zawadi yako tuma TZS 20,000 kwenda 0713 000 222",
    "Lipa ada ya usajili kwa namba 0754000111",
    "Lipa kwa 255754000111 leo kabla ya saa 6",
    "Tafadhali lipia faini yako kwa namba ya simu 0754-000-111",
    "Tuma Tsh. 15,000 kwa +255 754 000 111 upate kitambulisho",
    "Mkopo wako uko tayari. Nitumie ada 5000 kwa 0688000111",
    "Fanya malipo ya fomu kupitia 0754000111",
    "Pesa ya usajili tuma kwa 0754000111",
    "Tuma jina lako na TZS 10,000 kwa 0754000111",
    "Malipo yafanyike kwa namba 0754000111",
    "Kwa namba 0754000111 tuma pesa ya fomu",
    "Unatakiwa kulipa TZS 30,000 kwa 0754000111",
    "Tuma kwa 0754000111 shilingi elfu kumi",
    "Ajira: weka pesa ya vipimo kwa M-Pesa 0754000111",
    "Lipa kwa namba ya malipo 0754000111",
    "Ukitaka mkopo tuma ada 10,000 kwa 0754000111",
    "You have won TZS 500,000! Send money to 0754000111",
    "Please pay the registration fee to 0754000111",
    "Send TZS 10,000 to 0754 000 111 to claim your prize",
    "You must deposit 20,000 on mobile number 0754000111",
    "Transfer the fee via M-Pesa to +255754000111",
    "You can pay to 0754000111 before noon",
    "Make payment to 0754.000.111 today",
)
MONEY_NOTICES = (
    "Piga 0800110011",
    "Kwa maelezo piga 0754000111",
    "Lipa kwa namba ya malipo 991234567890. Kwa maelezo piga 0754000111",
    "Lipa kwa namba ya malipo 991234567890, kwa maelezo 0754000111",
    "Lipa ada ya leseni kabla ya 30.11.2026; ukiwa na swali piga simu 0754000111",
    "Lipa bili ya TZS 5,000 ya simu 0222110011 kwa control number 991234567890",
    "Tuma pesa kwa Lipa Namba 5512345 ya DAWASA, simu 0754000111",
    "Usitume pesa kwa 0754000111",
    "Usilipe fedha kwa namba binafsi kama 0754000111",
    "Matapeli wanaomba utume pesa kwa 0754000111, toa taarifa",
    "Ukiombwa kutuma pesa kwa 0754000111 toa taarifa polisi",
    "Tumepokea TZS 10,000 kutoka 0754000111",
    "Umelipa TZS 10,000 kwa simu 0754000111",
    "Tuma jina lako kwenda 0754000111",
    "Tuma risiti ya malipo kwa WhatsApp 0754000111",
    "Lipa ada kisha tuma risiti kwa 0754000111",
    "Lipa TZS 10,000 kisha tuma SMS kwa 0754000111",
    "Ndugu mteja wa namba 0754000111, lipa deni lako leo",
    "Ruzuku yako ya TZS 50,000 itatumwa kwa namba yako 0754000111",
    "Fika ofisini na TZS 10,000 au wasiliana na afisa 0754000111",
    "Pay by control number 991234567890. For questions call 0754000111",
    "Pay at window 4 or call 0754000111",
    "Do not send money to 0754000111",
    "Never pay anyone at 0754000111",
    "If someone asks you to send money to 0754000111, report it",
    "We will pay TZS 50,000 to 0754000111",
    "Send the payment receipt to 0754000111",
    "Your fee of TZS 10,000 was paid from 0754000111",
)
CLEAN = (
    "OTP yako ni 123456. Usimpe mtu yeyote.",
    "OTP yako ni 123456",
    "OTP: 4821. Muda wake ni dakika 5.",
    "Your OTP is 482910. Do not share it with anyone.",
    "482910 is your verification code. Never share it.",
    "Ingiza OTP 482910 kukamilisha usajili.",
    "Enter the OTP 482910 to log in.",
    "Tumia nywila ya muda Ab12cd34 kuingia, kisha badilisha nywila yako.",
    "Usimpe mtu yeyote nywila yako",
    "Usimpe mtu yeyote, hata afisa wa Serikali, nywila yako.",
    "Usitume PIN yako kwa mtu yeyote.",
    "Kamwe usitoe namba yako ya siri.",
    "Serikali haiombi namba ya siri.",
    "Serikali haitakuomba kutuma PIN.",
    "Hatutakuomba utume PIN yako.",
    "Mtu akikuomba utume PIN, kataa na piga 113.",
    "Ukiombwa PIN, toa taarifa Polisi.",
    "Toa taarifa ukiombwa PIN au OTP.",
    "Jihadhari na matapeli wanaoomba OTP.",
    "Weka siri nywila yako.",
    "Weka PIN yako siri.",
    "Tunza namba yako ya siri.",
    "Badilisha nywila yako kila baada ya siku 90.",
    "Nywila yako imebadilishwa. Kama si wewe, piga 0800110064.",
    "Weka nywila mpya kupitia https://ess.utumishi.go.tz",
    "Ukisahau PIN tuma neno MSAADA kwenda 15200.",
    "Umesahau nywila? Piga *152*00#.",
    "Tutakutumia OTP kwa SMS.",
    "Utapokea OTP baada ya dakika 2.",
    "Ingia kwa kutumia nywila yako kwenye https://ajira.go.tz",
    "Never share your PIN",
    "Never share your PIN, OTP or password with anyone.",
    "Do not send or share your PIN.",
    "Do not, under any circumstances, share your PIN.",
    "We will never ask you to send your password.",
    "We will never ask for your PIN or password.",
    "No officer will ask you for your PIN.",
    "If anyone asks you to send your PIN, call 113.",
    "If you are asked to share your OTP, refuse.",
    "Beware of callers who ask for your password.",
    "Your password was changed on 12.11.2026.",
    "Change your password every 90 days.",
    "Log in with your password at https://ess.utumishi.go.tz",
    "We sent an OTP to your phone.",
    "An OTP will be sent to you.",
    "You can set a new password at www.tra.go.tz",
    "Keep your PIN secret.",
    "Tembelea www.tra.go.tz",
    "Tembelea www.tra.go.tz.",
    "Tembelea https://www.tra.go.tz/bili?namba=1&mwaka=2026#juu, kisha chagua Lipa.",
    "Tembelea tra.go.tz au piga 0800750075",
    "Tembelea (tanesco.go.tz) leo.",
    "Soma https://tra.go.tz:8443/fomu",
    "Tovuti za Serikali huishia na .go.tz",
    "Tembelea www.tra.go.tz.Asante.",
    "Barua pepe: msaada@ega.go.tz",
    "Andika kwa jina.la.ukoo@nida.go.tz upate msaada.",
    "Asante.Karibu",
    "Umelipa.Ni muhimu kutunza stakabadhi",
    "Bili yako ni TZS 5,000.Lipa leo",
    "Imepokelewa.Na utajibiwa ndani ya siku 3",
    "imepokelewa.na utajibiwa",
    "ASANTE.KARIBU TENA",
    "Thank you.It is received",
    "Kiasi ni TZS 1.000.000",
    "Kiasi ni TZS 1.000.000.000",
    "Tarehe ya mwisho ni 12.11.2026",
    "Mwisho ni 12.11.2026 saa 10.30 jioni",
    "Ofisi hufunguliwa 8.30am hadi 3.30pm",
    "Kifungu cha 4.2.1.3 cha Sheria",
    "Namba ya malipo ni 991234567890",
    "Lipa kwa namba ya malipo 991234567890 kabla ya 30.11.2026.",
    "S.L.P. 2833, Dodoma",
    "S.L.P 2833",
    "S.L.P.2833 Dodoma",
    "P.O.Box 2833",
    "Wenye B.Sc, B.Com au M.Ed wanaalikwa",
    "Wenye shahada (B.A. au Ph.D.) wanaalikwa",
    "Dkt.Juma na Bi.Asha watakuwepo",
    "Mhe.J.K.Nyerere",
    "Kumb.Na.123/2026",
    "Ref.no 123",
    "Kiwanja Na. 12, Kitalu A.",
    "Leseni yako na/au kibali vimeisha",
    "Piga *152*00# kisha chagua 1.",
    "Tuma neno HALI kwenda 15200.",
    "Tuma jina lako na namba ya NIDA kwenda 15200.",
    "Kodi ya ardhi ni TZS 20,000.",
    "Kodi yako ya siku 30 imelipwa.",
    "Your control number is 991234567890. Pay before 30.11.2026.",
    "Your TIN is 123-456-789.",
    "Your case 4821-0937-1123 was closed. Reply 1 if solved.",
    "Meet us at 10.30 a.m. in Dodoma, e.g. at window 4.",
    "The meeting is at 3.p.m.",
    "Pinda, Pindi na Pinga wamefika.",
    "Fomu iko kwenye fomu.pdf ofisini.",
    "Karibu... tutakuhudumia",
    "Je, umepokea huduma? 1.Ndiyo 2.Hapana",
    "Saa 2:30 asubuhi: fika ofisini",
    "Ujumbe: Ombi lako limepokelewa.",
    "“Asante” – Wizara ya Afya",
    "Kikao kitakuwa saa 4 😊.Karibu",
    "Neno lako la siri limebadilishwa.",
    "Nywila yako itaisha muda wake kesho.",
    "Namba yako ya siri imefungwa. Fika ofisini.",
    "Jibu NDIYO kupata huduma.",
    "Confirm your attendance by replying YES.",
    "Send your full name and NIDA number to 15200.",
)


@pytest.mark.parametrize("text", ASKS)
def test_a_text_that_asks_for_a_secret_is_refused(text: str) -> None:
    found = suspicion(text)
    assert found
    assert found.code == SECRET
    assert found.sentence.startswith("It asks for ")


@pytest.mark.parametrize("text", LINKS)
def test_a_text_with_a_link_that_is_no_institutions_is_refused(text: str) -> None:
    found = suspicion(text)
    assert found
    assert found.code == LINK
    assert found.sentence.startswith("A link ")
    assert ".go.tz" in found.sentence


@pytest.mark.parametrize("text", MONEY_ASKS)
def test_a_text_that_asks_for_money_to_a_private_msisdn_is_refused(text: str) -> None:
    for spelt in (text, text.upper()):
        found = suspicion(spelt)
        assert found
        assert found.code == MONEY
        assert "control number" in found.sentence


@pytest.mark.parametrize("text", MONEY_NOTICES)
def test_what_names_an_msisdn_for_something_else_is_taken(text: str) -> None:
    assert suspicion(text) is None


@pytest.mark.parametrize("text", CLEAN)
def test_what_institutions_write_is_taken(text: str) -> None:
    assert suspicion(text) is None


@settings(max_examples=examples(500), deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_looked_at(text: str) -> None:
    found = suspicion(text)
    assert found is None or found.code in (LINK, SECRET, MONEY)


@pytest.mark.parametrize(
    ("text", "values", "code"),
    [
        ("Ndugu ((jina)), karibu.", ["bit.ly/abc"], LINK),
        ("Ndugu ((jina)), karibu.", ["Asha. Tuma PIN yako kwa 0754"], SECRET),
        ("Ndugu ((jina)), karibu.", ["Asha tuma PIN"], SECRET),
        ("Tuma ((nini)) yako kwetu", ["PIN"], SECRET),
        ("Lipa ((a)).((b)) leo", ["evil", "com"], LINK),
        ("Lipa kwa pesa.((b)) leo", ["xyz"], LINK),
        ("((ujumbe))", ["Send us your password"], SECRET),
        ("((ujumbe))", ["Habari ya leo. Tembelea www.tra.go.tz"], None),
        ("Ndugu ((jina)), bili ni ((kiasi)).", ["Asha M. Pinda", "1.000.000"], None),
        ("OTP yako ni ((otp)).", ["482910"], None),
        ("Lipa bili kwa ((namba)).", ["0754000111"], MONEY),
        ("Lipa bili kwa ((namba)).", ["991234567890"], None),
        ("((nini)) kwa 0754000111", ["Tuma pesa"], MONEY),
        ("((nini)) kwa ((nani))", ["Tuma pesa", "255754000111"], MONEY),
        ("Habari ((jina))", ["Asha tuma pesa 10,000 kwa 0754000111"], MONEY),
        ("Habari ((jina)), simu yako ni ((simu)).", ["Asha", "0754000111"], None),
        ("Tuma ((jina)) kwenda 15200", ["HALI"], None),
    ],
)
def test_values_make_no_phishing_of_a_text(text: str, values: list[str], code: str | None) -> None:
    read = worded(text)
    assert of_worded(read) is None
    found = ValueCheck(read)(values, read.filled(values))
    assert (found.code if found else None) == code


@pytest.mark.parametrize(
    "text", ["Lipa https://((kiungo))", "Lipa https://tra.go.tz((njia))", "Lipa ((a)).com leo"]
)
def test_a_value_may_not_choose_where_a_link_leads(text: str) -> None:
    found = of_worded(worded(text))
    assert found
    assert found.code == LINK


def test_what_a_code_is_given_for_is_no_ask() -> None:
    assert of_worded(worded("Ingiza OTP ((otp)) kwenye https://ajira.go.tz/((njia))")) is None


def test_the_table_is_long_enough() -> None:
    assert min(len(MONEY_ASKS), len(MONEY_NOTICES)) >= 20
    assert min(len(ASKS) + len(LINKS), len(CLEAN)) >= 60
