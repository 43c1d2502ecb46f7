"""Names of countries in English, French and Spanish, as Unicode CLDR has them; only imports read it, and only then.

A line: the ISO 3166 alpha-2 code, and names that differ. ``OTHERS``: more names that people write.
"""

from __future__ import annotations

from functools import lru_cache

from chalicelib.text import folded

# ruff: noqa: E501
NAMES = """
AD|Andorra|Andorre
AE|United Arab Emirates|Émirats arabes unis|Emiratos Árabes Unidos
AF|Afghanistan|Afganistán
AG|Antigua & Barbuda|Antigua-et-Barbuda|Antigua y Barbuda
AI|Anguilla|Anguila
AL|Albania|Albanie
AM|Armenia|Arménie
AO|Angola
AQ|Antarctica|Antarctique|Antártida
AR|Argentina|Argentine
AS|American Samoa|Samoa américaines|Samoa Americana
AT|Austria|Autriche
AU|Australia|Australie
AW|Aruba
AX|Åland Islands|Îles Åland|Islas Aland
AZ|Azerbaijan|Azerbaïdjan|Azerbaiyán
BA|Bosnia & Herzegovina|Bosnie-Herzégovine|Bosnia y Herzegovina
BB|Barbados|Barbade
BD|Bangladesh|Bangladés
BE|Belgium|Belgique|Bélgica
BF|Burkina Faso
BG|Bulgaria|Bulgarie
BH|Bahrain|Bahreïn|Baréin
BI|Burundi
BJ|Benin|Bénin|Benín
BL|St. Barthélemy|Saint-Barthélemy|San Bartolomé
BM|Bermuda|Bermudes|Bermudas
BN|Brunei|Brunéi
BO|Bolivia|Bolivie
BQ|Caribbean Netherlands|Pays-Bas caribéens|Caribe neerlandés
BR|Brazil|Brésil|Brasil
BS|Bahamas
BT|Bhutan|Bhoutan|Bután
BV|Bouvet Island|Île Bouvet|Isla Bouvet
BW|Botswana|Botsuana
BY|Belarus|Biélorussie|Bielorrusia
BZ|Belize|Belice
CA|Canada|Canadá
CC|Cocos (Keeling) Islands|Îles Cocos|Islas Cocos
CD|Congo - Kinshasa|Congo-Kinshasa|República Democrática del Congo
CF|Central African Republic|République centrafricaine|República Centroafricana
CG|Congo - Brazzaville|Congo-Brazzaville
CH|Switzerland|Suisse|Suiza
CI|Côte d’Ivoire
CK|Cook Islands|Îles Cook|Islas Cook
CL|Chile|Chili
CM|Cameroon|Cameroun|Camerún
CN|China|Chine
CO|Colombia|Colombie
CR|Costa Rica
CU|Cuba
CV|Cape Verde|Cap-Vert|Cabo Verde
CW|Curaçao|Curazao
CX|Christmas Island|Île Christmas|Isla de Navidad
CY|Cyprus|Chypre|Chipre
CZ|Czechia|Tchéquie|Chequia
DE|Germany|Allemagne|Alemania
DJ|Djibouti|Yibuti
DK|Denmark|Danemark|Dinamarca
DM|Dominica|Dominique
DZ|Algeria|Algérie|Argelia
EC|Ecuador|Équateur
EE|Estonia|Estonie
EG|Egypt|Égypte|Egipto
EH|Western Sahara|Sahara occidental|Sáhara Occidental
ER|Eritrea|Érythrée
ES|Spain|Espagne|España
ET|Ethiopia|Éthiopie|Etiopía
FI|Finland|Finlande|Finlandia
FJ|Fiji|Fidji|Fiyi
FK|Falkland Islands|Îles Malouines|Islas Malvinas
FM|Micronesia|Micronésie
FO|Faroe Islands|Îles Féroé|Islas Feroe
FR|France|Francia
GA|Gabon|Gabón
GB|United Kingdom|Royaume-Uni|Reino Unido
GD|Grenada|Grenade|Granada
GE|Georgia|Géorgie
GF|French Guiana|Guyane française|Guayana Francesa
GG|Guernsey|Guernesey
GH|Ghana
GI|Gibraltar
GL|Greenland|Groenland|Groenlandia
GM|Gambia|Gambie
GN|Guinea|Guinée
GP|Guadeloupe|Guadalupe
GQ|Equatorial Guinea|Guinée équatoriale|Guinea Ecuatorial
GR|Greece|Grèce|Grecia
GS|South Georgia & South Sandwich Islands|Géorgie du Sud-et-les Îles Sandwich du Sud|Islas Georgia del Sur y Sandwich del Sur
GT|Guatemala
GU|Guam
GW|Guinea-Bissau|Guinée-Bissau|Guinea-Bisáu
GY|Guyana
HK|Hong Kong SAR China|R.A.S. chinoise de Hong Kong|RAE de Hong Kong (China)
HM|Heard & McDonald Islands|Îles Heard-et-MacDonald|Islas Heard y McDonald
HN|Honduras
HR|Croatia|Croatie|Croacia
HT|Haiti|Haïti|Haití
HU|Hungary|Hongrie|Hungría
ID|Indonesia|Indonésie
IE|Ireland|Irlande|Irlanda
IL|Israel|Israël
IM|Isle of Man|Île de Man|Isla de Man
IN|India|Inde
IO|British Indian Ocean Territory|Territoire britannique de l’océan Indien|Territorio Británico del Océano Índico
IQ|Iraq|Irak
IR|Iran|Irán
IS|Iceland|Islande|Islandia
IT|Italy|Italie|Italia
JE|Jersey
JM|Jamaica|Jamaïque
JO|Jordan|Jordanie|Jordania
JP|Japan|Japon|Japón
KE|Kenya|Kenia
KG|Kyrgyzstan|Kirghizstan|Kirguistán
KH|Cambodia|Cambodge|Camboya
KI|Kiribati
KM|Comoros|Comores|Comoras
KN|St. Kitts & Nevis|Saint-Christophe-et-Niévès|San Cristóbal y Nieves
KP|North Korea|Corée du Nord|Corea del Norte
KR|South Korea|Corée du Sud|Corea del Sur
KW|Kuwait|Koweït
KY|Cayman Islands|Îles Caïmans|Islas Caimán
KZ|Kazakhstan|Kazajistán
LA|Laos
LB|Lebanon|Liban|Líbano
LC|St. Lucia|Sainte-Lucie|Santa Lucía
LI|Liechtenstein
LK|Sri Lanka
LR|Liberia
LS|Lesotho|Lesoto
LT|Lithuania|Lituanie|Lituania
LU|Luxembourg|Luxemburgo
LV|Latvia|Lettonie|Letonia
LY|Libya|Libye|Libia
MA|Morocco|Maroc|Marruecos
MC|Monaco|Mónaco
MD|Moldova|Moldavie|Moldavia
ME|Montenegro|Monténégro
MF|St. Martin|Saint-Martin|San Martín
MG|Madagascar
MH|Marshall Islands|Îles Marshall|Islas Marshall
MK|North Macedonia|Macédoine du Nord|Macedonia del Norte
ML|Mali
MM|Myanmar (Burma)|Myanmar (Birmanie)|Myanmar (Birmania)
MN|Mongolia|Mongolie
MO|Macao SAR China|R.A.S. chinoise de Macao|RAE de Macao (China)
MP|Northern Mariana Islands|Îles Mariannes du Nord|Islas Marianas del Norte
MQ|Martinique|Martinica
MR|Mauritania|Mauritanie
MS|Montserrat
MT|Malta|Malte
MU|Mauritius|Maurice|Mauricio
MV|Maldives|Maldivas
MW|Malawi|Malaui
MX|Mexico|Mexique|México
MY|Malaysia|Malaisie|Malasia
MZ|Mozambique
NA|Namibia|Namibie
NC|New Caledonia|Nouvelle-Calédonie|Nueva Caledonia
NE|Niger|Níger
NF|Norfolk Island|Île Norfolk|Isla Norfolk
NG|Nigeria
NI|Nicaragua
NL|Netherlands|Pays-Bas|Países Bajos
NO|Norway|Norvège|Noruega
NP|Nepal|Népal
NR|Nauru
NU|Niue
NZ|New Zealand|Nouvelle-Zélande|Nueva Zelanda
OM|Oman|Omán
PA|Panama|Panamá
PE|Peru|Pérou|Perú
PF|French Polynesia|Polynésie française|Polinesia Francesa
PG|Papua New Guinea|Papouasie-Nouvelle-Guinée|Papúa Nueva Guinea
PH|Philippines|Filipinas
PK|Pakistan|Pakistán
PL|Poland|Pologne|Polonia
PM|St. Pierre & Miquelon|Saint-Pierre-et-Miquelon|San Pedro y Miquelón
PN|Pitcairn Islands|Îles Pitcairn|Islas Pitcairn
PR|Puerto Rico|Porto Rico
PS|Palestinian Territories|Territoires palestiniens|Territorios Palestinos
PT|Portugal
PW|Palau|Palaos
PY|Paraguay
QA|Qatar|Catar
RE|Réunion|La Réunion|Reunión
RO|Romania|Roumanie|Rumanía
RS|Serbia|Serbie
RU|Russia|Russie|Rusia
RW|Rwanda|Ruanda
SA|Saudi Arabia|Arabie saoudite|Arabia Saudí
SB|Solomon Islands|Îles Salomon|Islas Salomón
SC|Seychelles
SD|Sudan|Soudan|Sudán
SE|Sweden|Suède|Suecia
SG|Singapore|Singapour|Singapur
SH|St. Helena|Sainte-Hélène|Santa Elena
SI|Slovenia|Slovénie|Eslovenia
SJ|Svalbard & Jan Mayen|Svalbard et Jan Mayen|Svalbard y Jan Mayen
SK|Slovakia|Slovaquie|Eslovaquia
SL|Sierra Leone|Sierra Leona
SM|San Marino|Saint-Marin
SN|Senegal|Sénégal
SO|Somalia|Somalie
SR|Suriname|Surinam
SS|South Sudan|Soudan du Sud|Sudán del Sur
ST|São Tomé & Príncipe|Sao Tomé-et-Principe|Santo Tomé y Príncipe
SV|El Salvador|Salvador
SX|Sint Maarten|Saint-Martin (partie néerlandaise)
SY|Syria|Syrie|Siria
SZ|Eswatini|Esuatini
TC|Turks & Caicos Islands|Îles Turques-et-Caïques|Islas Turcas y Caicos
TD|Chad|Tchad
TF|French Southern Territories|Terres australes françaises|Territorios Australes Franceses
TG|Togo
TH|Thailand|Thaïlande|Tailandia
TJ|Tajikistan|Tadjikistan|Tayikistán
TK|Tokelau
TL|Timor-Leste|Timor oriental
TM|Turkmenistan|Turkménistan|Turkmenistán
TN|Tunisia|Tunisie|Túnez
TO|Tonga
TR|Türkiye|Turquie|Turquía
TT|Trinidad & Tobago|Trinité-et-Tobago|Trinidad y Tobago
TV|Tuvalu
TW|Taiwan|Taïwan|Taiwán
TZ|Tanzania|Tanzanie
UA|Ukraine|Ucrania
UG|Uganda|Ouganda
UM|U.S. Outlying Islands|Îles mineures éloignées des États-Unis|Islas menores alejadas de EE. UU.
US|United States|États-Unis|Estados Unidos
UY|Uruguay
UZ|Uzbekistan|Ouzbékistan|Uzbekistán
VA|Vatican City|État de la Cité du Vatican|Ciudad del Vaticano
VC|St. Vincent & Grenadines|Saint-Vincent-et-les Grenadines|San Vicente y las Granadinas
VE|Venezuela
VG|British Virgin Islands|Îles Vierges britanniques|Islas Vírgenes Británicas
VI|U.S. Virgin Islands|Îles Vierges des États-Unis|Islas Vírgenes de EE. UU.
VN|Vietnam|Viêt Nam
VU|Vanuatu
WF|Wallis & Futuna|Wallis-et-Futuna|Wallis y Futuna
WS|Samoa
XK|Kosovo
YE|Yemen|Yémen
YT|Mayotte
ZA|South Africa|Afrique du Sud|Sudáfrica
ZM|Zambia|Zambie
ZW|Zimbabwe|Zimbabue
"""
OTHERS = """
US|USA|U.S.A.|U.S.|United States of America|États Unis d'Amérique|EEUU|EE. UU.
GB|UK|U.K.|Great Britain|England|Scotland|Wales|Northern Ireland|Grande-Bretagne|Angleterre|Gran Bretaña|Inglaterra
NL|Holland|The Netherlands|Holanda|Hollande
CZ|Czech Republic|République tchèque|República Checa
RU|Russian Federation|Fédération de Russie|Federación de Rusia
KR|Republic of Korea|Korea, Republic of
IE|Republic of Ireland|Eire
AE|UAE|U.A.E.
MO|Macau
TR|Turkey|Turquie|Turquía
MK|North Macedonia|Macedonia
CI|Ivory Coast
VN|Viet Nam
SK|Slovak Republic
"""


@lru_cache(maxsize=1)
def _codes() -> dict[str, str]:
    found: dict[str, str] = {}
    for line in (NAMES + OTHERS).split("\n"):
        code, *names = line.split("|")
        found.update((folded(name), code) for name in names)
    return found


def code_of(name: str) -> str | None:
    """The ISO 3166 alpha-2 code of a country's name, in any case and without accents; ``None``: no such name."""
    return _codes().get(folded(name))
