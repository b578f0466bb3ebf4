"""Makes countries.json from the Unicode CLDR (licence Unicode-3.0).

Usage: make_countries.py CLDR_CORE CLDR_LOCALENAMES_FULL, the unpacked npm packages.
"""
import json
import sys
import unicodedata
from pathlib import Path

core, names = (Path(argument) for argument in sys.argv[1:3])
LANGUAGES = "en ru kk ky tg uz hy az ka ko et fi tk mn".split()
# Codes that CLDR knows and ISO 3166-1 does not assign.
NOT_ASSIGNED = set("AC CP CQ DG EA EU EZ IC TA UN QO XA XB XK ZZ".split())


def load(path):
    return json.loads(path.read_text(encoding="utf-8"))


mappings = load(core / "supplemental/codeMappings.json")["supplemental"]["codeMappings"]
groups = load(core / "supplemental/territoryContainment.json")["supplemental"]["territoryContainment"]
texts = {}
for language in LANGUAGES:
    path = names / "main" / language / "territories.json"
    texts[language] = load(path)["main"][language]["localeDisplayNames"]["territories"]

regions = {}
for group, told in groups.items():
    if group.isdigit():
        for member in told.get("_contains", []):
            if len(member) == 2:
                regions[member] = texts["en"][group]

countries = []
for code, told in sorted(mappings.items()):
    if len(code) != 2 or code in NOT_ASSIGNED or "_alpha3" not in told or "_numeric" not in told:
        continue
    if code not in texts["en"]:
        continue
    named = {
        language: unicodedata.normalize("NFC", entries[code])
        for language, entries in texts.items()
        if code in entries and entries[code] != code
    }
    countries.append({
        "code": code,
        "alpha3": told["_alpha3"],
        "numeric": told["_numeric"],
        "names": named,
        "region": regions.get(code),
    })

lines = (json.dumps(country, ensure_ascii=False) for country in countries)
target = Path(__file__).with_name("countries.json")
target.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
print(len(countries), "countries")
