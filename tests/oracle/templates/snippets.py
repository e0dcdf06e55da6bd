"""Small templates that try the language itself, one habit at a time. Each is rendered with VARIABLES by Python jinja2 and by the C engine.

EXPRESSIONS are wrapped in {{ }}; TEMPLATES stand as they are.
"""

VARIABLES = {
    "s": "Hello, World", "e": "", "u": "éÀß日本🙂x", "ws": " \t two  words \n", "n": 7, "z": 0, "neg": -3, "f": 2.5, "big": 9007199254740993, "t": True, "no": False,
    "none_value": None, "l": [3, 1, 2], "words": ["pear", "Apple", "fig", "apple"], "nested": [[1, 2], [3, [4, 5]]], "empty": [], "mixed": [1, "a", None, 2.5, True],
    "d": {"a": 1, "b": {"c": [1, 2, 3]}, "items": "shadow", "with space": 2, "": "empty key", "10": "ten"}, "ed": {},
    "people": [{"name": "Bo", "age": 30, "tags": ["x"]}, {"name": "al", "age": 25}, {"name": "Cy", "age": 30, "tags": []}],
    "quotes": "it's \"q\" \\ \n\t", "html": "<b>&'\"", "m": {"role": "user", "content": "hi", "tool_calls": None},
}

EXPRESSIONS = r"""
1
1.0
1.5
100
1_000
0x1F
0o17
0b101
1e3
1.5e-7
1_0.5_0
1e1_0
1e-1_0
0x_1F
0_0
1e16
1e15
123456789012345.6
1234567890123456.7
1e22
1e-5
0.0001
0.00001
1.0e100
0.1 + 0.2
2.5e-310
5e-324
1.7976931348623157e308
-0.0
1/3
10/2
7//2
-7//2
7//-2
7%3
-7%3
7%-3
7.5//2
-7.5//2
-7.5%2
7.5%-2
6.0%3
2**10
2**-1
2**0.5
-2**2
2**3**2
(2)**(-2)
0**0
1+2*3
(1+2)*3
1-2-3
2*3%4
1 + 1.0
true + 1
true + true
1 ~ 2
1 ~ "a" ~ none ~ true ~ 1.0
"a" ~ 1 + 2
1 + 2 ~ 3
"a" + "b"
"a" * 3
3 * "ab"
"a" * 0
"a" * -1
[1] * 2
[1, 2] + [3]
(1, 2) + (3,)
[] * 3
'a' 'b' "c"
"a\nb\tc\\d\'e\"f"
'\x41\u00e9\U0001F642\101\0'
'\d\q'
"it's"
'"'
''
true
True
false
none
None
[]
[1, "a", none, true, 1.5]
[1, 2,]
()
(1,)
(1, 2)
1, 2
(1)
{}
{"a": 1}
{"a": 1, "b": [1, {"c": 2}]}
{1: "x", 2.5: "y", none: "z", true: "w"}
{"a": 1, "a": 2}
{1: "a", 1.0: "b", true: "c"}
{(1, 2): 3}[(1, 2)]
{[1]: 2}
s
u
missing
missing.x
missing["x"]
missing()
missing + 1
1 + missing
"a" + missing
missing ~ "a"
missing == missing2
missing == none
missing == ""
missing != 1
missing < 1
missing in [1]
1 in missing
missing is defined
not missing
missing or "x"
missing and "x"
missing|length
missing|list
missing|join
missing|upper
missing|trim
missing|string
missing|default("d")
missing|d("d")
missing|int
missing|tojson
missing|first
missing|last
missing|default
missing[0:1]
-missing
[missing]
d.a
d["a"]
d.b.c
d.b.c[0]
d.b.c.0
d.b.c[-1]
d.b["c"][1:]
d.nothing
d.nothing.more
d["nothing"]
d[5]
d[none]
d.items
d["items"]
d.items()
d.items()|list
d.keys()
d.values()
d.keys()|list
d.get("a")
d.get("zz")
d.get("zz", 5)
d.get("zz", default=5)
d["with space"]
d[""]
d["10"]
d|length
d|list
d|items|list
d|items
d|dictsort
"a" in d
"zz" in d
1 in d
[1] in d
d.pop("a")
d.update({"q": 1})
d.update
d.clear
d.setdefault is defined
d.__class__
d._private
s.__class__
l.append(4)
l.append
l.sort()
m.tool_calls
m.tool_calls.x
m.role == "user"
none_value.x
none_value["x"]
none_value[0]
none_value()
5.x
(5).x
l[0]
l[-1]
l[3]
l[-4]
l["a"]
l[1.0]
l[true]
l[none]
l.0
l.5
l.index(1)
l.index(9)
l.count(2)
l.copy()
(1,2,1).count(1)
(1,2).copy
s[0]
s[-1]
s[100]
s[0:5]
s[7:]
s[:-3]
s[::2]
s[::-1]
s[5:2]
s[-100:100]
s[10:2:-2]
s[::0]
u[0]
u[2]
u[-2]
u[1:4]
u[::-1]
u|length
u[3:100]
l[1:]
l[:2]
l[::-1]
l[-2:]
l[5:]
l[0:3:2]
l[2:0:-1]
l["a":]
(1,2,3)[1:]
(1,2,3)[::-1]
range(10)[2:5]
range(10)[::-3]
range(10)[3]
range(10)[-1]
d[1:]
n[1:]
none_value[1:]
range(5)
range(1, 10, 3)
range(5, 0, -2)
range(5)|list
range(1, 10, 3)|list
range(5, 0, -2)|list
range(0)|list
range(5, 1)|list
range(1, 2, 0)
range(100001)
range("a")
range()
range(3)|length
range(5) == range(0, 5)
3 in range(5)
not true
not not true
not 0
true and false
true or false
1 and 2
0 and 2
1 or 2
0 or ""
none or "x"
1 if true else 2
1 if false else 2
1 if false
(1 if false) is defined
(1 if false).x
1 if true else 2 if false else 3
"a" if n > 5 else "b"
1 < 2 < 3
1 < 3 < 2
1 < 2 == true
3 > 2 >= 2 != 1
1 == 1.0
1 == true
"1" == 1
none == none
none == false
[1, 2] == [1, 2]
[1, 2] == (1, 2)
{"a": 1} == {"a": 1.0}
{"a": 1, "b": 2} == {"b": 2, "a": 1}
"a" < "b"
"a" < "B"
"é" > "z"
"abc" < "abd"
"" < "a"
[1, 2] < [1, 3]
[1, 2] < [1, 2, 3]
(1, "a") < (1, "b")
1 < "a"
none < 1
[1] < ["a"]
{} < {}
big == big + 0.0
big < 9007199254740992.0
9007199254740993 == 9007199254740992.0
9223372036854775807
1 in l
9 in l
9 not in l
"ell" in s
"" in s
"x" not in s
1 in "123"
"a" in ("a", "b")
"a" in ["b"]
none in [none]
2 in {2: 1}
not 1 in l
1 in 5
- 5
+5
-n
-t
-"a"
- -5
-5|abs
(-5)|abs
5|abs
-2.5|abs
"a"|abs
n is defined
n is undefined
missing is undefined
none_value is none
none_value is not none
missing is none
m.tool_calls is none
m.nope is none
m.nope is defined
m["nope"] is defined
n is number
t is number
s is number
t is boolean
n is integer
t is integer
f is float
n is float
s is string
none_value is string
l is sequence
s is sequence
d is sequence
n is sequence
missing is sequence
d is mapping
l is mapping
l is iterable
s is iterable
n is iterable
d is iterable
missing is iterable
range(3) is sequence
d.items() is sequence
(1, 2) is sequence
t is true
t is false
no is false
z is false
1 is true
n is odd
n is even
n is divisibleby 7
n is divisibleby(3)
n is eq 7
n is equalto 7
n is ne 7
n is gt 5
n is lt 5
n is ge 7
n is le 7
n is greaterthan 5
n is lessthan(5)
n is in [7]
n is in(l)
"a" is in "abc"
none_value is sameas none
t is sameas true
1 is sameas true
"abc" is lower
"ABC" is upper
"Abc" is lower
"" is upper
"12" is upper
range is callable
n is callable
"upper" is filter
"nope" is filter
"defined" is test
n is nope
n is not odd
n is not defined
not n is odd
n is odd and t
n is odd or missing.x
n is defined and n > 3
s is string and s|length > 3
n is divisibleby 2 or t
[1,2] is eq [1,2]
"x" is odd
s|upper
s|lower
s|title
s|capitalize
"hello wORLD foo-bar (baz"|title
"hello wORLD it's"|capitalize
u|upper
u|lower
u|title
u|capitalize
"ΑΣ ΣΑΣ Σ"|lower
"ǆ ß ŉ ﬁ"|title
"ǆ"|upper
"İI"|lower
"they're bill's".title()
"they're bill's"|title
"3abc def4ghi".title()
ws|trim
"xxaxx"|trim("x")
"xyaxy"|trim("yx")
"[a]"|trim("[]")
42|trim
none|trim
"\u00a0\u2003a\u3000"|trim
s|length
l|length
n|length
none_value|length
s|count
l|first
l|last
s|first
s|last
e|first
empty|first
empty|last
d|first
d|last
n|first
l|join
l|join(", ")
l|join(1)
words|join("-")
mixed|join("|")
people|join(", ", attribute="name")
people|map(attribute="name")|join(",")
"abc"|join(".")
d|join(",")
n|join
l|sort
l|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
words|sort(reverse=true)
people|sort(attribute="age")|map(attribute="name")|list
people|sort(attribute="age", reverse=true)|map(attribute="name")|list
mixed|sort
l|reverse|list
s|reverse
(1,2)|reverse|list
d|reverse|list
l|min
l|max
words|min
words|max
empty|max
people|max(attribute="age")
l|sum
people|sum(attribute="age")
l|sum(start=10)
empty|sum
words|sum
words|unique|list
[1, 1, 2, 1]|unique|list
words|unique(true)|list
people|unique(attribute="age")|map(attribute="name")|list
l|map("string")|list
words|map("upper")|list
words|map("replace", "p", "P")|list
people|map(attribute="tags")|list
people|map(attribute="tags", default="none")|list
people|map(attribute="tags.0")|list
people|map(attribute="nope.x")|list
nested|map("first")|list
nested|map(attribute=1)|list
l|map("nope")|list
l|select|list
mixed|select|list
mixed|reject|list
l|select("odd")|list
l|reject("odd")|list
l|select("gt", 1)|list
l|select("in", [1, 2])|list
l|select("equalto", 1)|list
l|select(">", 1)|list
mixed|select("string")|list
mixed|reject("none")|list
people|selectattr("tags")|map(attribute="name")|list
people|selectattr("age", "equalto", 30)|map(attribute="name")|list
people|rejectattr("age", "gt", 26)|map(attribute="name")|list
people|selectattr("tags", "defined")|map(attribute="name")|list
people|selectattr("age", "==", 30)|list|length
(people|selectattr("name", "eq", "Bo")|first).age
l|list
s|list
u|list
d|list
n|list
none_value|list
(1,2)|list
l|batch(2)|list
l|batch(2, 0)|list
l|string
d|string
n|string
f|string
none_value|string
s|string
"12"|int
" 12 "|int
"-12"|int
"1_000"|int
"12.7"|int
"abc"|int
"abc"|int(5)
"abc"|int(default=5)
"ff"|int(base=16)
"0xff"|int(base=16)
"0x1F"|int(0, 16)
"0b11"|int(0, 2)
"0x_ff"|int(0, 16)
"+_ff"|int(7, 16)
"0o_17"|int(0, 8)
"0o17"|int(7, 10)
"1__0"|int
"_1"|int
"1_"|int
"- 1"|int
""|int
none_value|int
3.99|int
-3.99|int
t|int
"1e3"|int
l|int
"1.5"|float
"abc"|float
"abc"|float(2.5)
"1e3"|float
" 1.5 "|float
"inf"|float
"-Infinity"|float
"nan"|float
".5"|float
"5."|float
"1_0.5"|float
"1_.5"|float
"1._5"|float
"1_e5"|float
"1e1_0"|float
"-nan"|float
"infinit"|float
"."|float
"1.5e"|float
"+1.5E+3"|float
n|float
t|float
none_value|float
2.5|round
3.5|round
2.567|round(2)
2.675|round(2)
2.1|round(0, "ceil")
2.9|round(method="floor")
2.123|round(2, "ceil")
7|round
7|round(2)
1234.5678|round(1)
0.5|round|int
"x"|round
s|replace("l", "L")
s|replace("l", "L", 1)
s|replace("l", "L", count=2)
s|replace("zz", "y")
"aaa"|replace("aa", "b")
"abc"|replace("", "-")
"abc"|replace("", "-", 2)
121|replace(1, 3)
s.replace("l", "")
s.replace("l", "", 1)
"".replace("", "x")
s|default("x")
none_value|default("x")
none_value|default("x", true)
e|default("x", true)
e|default("x", boolean=true)
z|default(5)
s|indent
"a\nb\n\nc"|indent
"a\nb\n\nc"|indent(2)
"a\nb\n\nc"|indent(2, true)
"a\nb\n\nc"|indent(2, first=true, blank=true)
"a\nb\n"|indent(width=1)
"a\nb\n\n"|indent(1, true, true)
""|indent(2, true)
"a\r\nb"|indent("> ")
"abc"|center(9)
"abcd"|center(9)
"abc"|center(8)
"abcd"|center(2)
"abc".center(10, "*")
"abc".ljust(5) ~ "|"
"abc".rjust(5, ".")
"7".zfill(3)
"-7".zfill(4)
"abc".zfill(2)
s.upper()
s.lower()
s.title()
s.capitalize()
ws.strip()
ws.lstrip()
ws.rstrip()
"xxaxx".strip("x")
"xxaxx".lstrip("x")
"xxaxx".rstrip("x")
"\n\n a \n".strip("\n")
"éaé".strip("é")
"abc".strip("")
"abc".strip(none)
"abc".strip(1)
s.split(",")
s.split(", ")
s.split("zz")
s.split()
ws.split()
"a b c d".split(" ", 2)
"a b  c ".split(" ")
"  a  b  c  ".split(none, 1)
"  a  b  c  ".split(maxsplit=1)
"  a  b  c  ".rsplit(none, 1)
"  a  b  c  ".rsplit(none, 0)
"  a  b  c  ".split(none, 0)
"a,b,c".rsplit(",", 1)
"a,b,c".rsplit(",")
"".split()
"".split(",")
"aXXbXXc".split("XX")
"aXXbXXc".split("XX")[-1]
"aaa".split("aa")
"aaa".rsplit("aa")
"a".split("")
"a".split(1)
"日本語".split("本")
"x</think>y</think>z".split("</think>")[-1]
"x</think>y".split("</think>", 1)[1]
"a\nb\r\nc\rd\n".splitlines()
"a\nb\n".splitlines(true)
"a\x0bb\u2028c".splitlines()
"".splitlines()
s.startswith("Hell")
s.startswith("x")
s.startswith(("x", "H"))
s.startswith("")
s.startswith(1)
s.endswith("ld")
s.endswith(("x", "ld"))
s.find("o")
s.find("zz")
s.rfind("o")
s.index("o")
s.index("zz")
u.find("本")
u.rfind("x")
s.count("l")
s.count("")
"aaa".count("aa")
s.partition(", ")
s.partition("zz")
s.rpartition("o")
s.rpartition("zz")
s.removeprefix("Hello")
s.removeprefix("x")
s.removesuffix("World")
"12".isdigit()
"1a".isdigit()
"".isdigit()
"ab".isalpha()
"a1".isalnum()
" \n".isspace()
"éß日".isalpha()
"é1".isalpha()
"é½二".isalnum()
"é".isdigit()
"\u2003".isspace()
["\u0378\u2028\ue000\u3000é\u0301\U000e0001"]
"AB1".isupper()
"ab".islower()
"-".join(["a", "b"])
"-".join("abc")
"-".join([1])
"-".join([])
"".join(words)
"{} and {}".format(1, "b")
"{0}{1}{0}".format("a", 2)
"{x}-{y}".format(x=1, y=none)
"{{}}".format()
"{}".format()
"%s and %d" % ("a", 5)
"%s" % "x"
"%s" % 5
"%s" % none
"%d%%" % 5
"%5d|%-5d|%05d" % (1, 2, 3)
"%.2f" % 3.14159
"%f" % 1
"%r" % "a"
"%s" % [1, 2]
"%s %s" % "x"
"%s" % (1, 2)
"%x" % 255
"%+d" % 5
"%5s|%-5s|%.2s" % ("ab", "cd", "efg")
"%d" % 3.9
"%d" % "x"
"%s-%s"|format("a", 1)
d|tojson
l|tojson
s|tojson
u|tojson
quotes|tojson
html|tojson
n|tojson
f|tojson
t|tojson
none_value|tojson
1e16|tojson
1e-7|tojson
empty|tojson
ed|tojson
(1, 2)|tojson
{1: 2, none: 3, true: 4, 1.5: 5}|tojson
{(1, 2): 3}|tojson
range(3)|tojson
d|tojson(indent=2)
nested|tojson(indent=4)
ed|tojson(indent=2)
{"a": [], "b": {}}|tojson(indent=2)
l|tojson(indent=0)
l|tojson(indent="--")
d|tojson(sort_keys=true)
{"b": 1, "a": 2}|tojson(sort_keys=true, indent=1)
{"b": 1, 2: 2}|tojson(sort_keys=true)
l|tojson(separators=(",", ":"))
d|tojson(separators=(",", ":"), indent=1)
u|tojson(ensure_ascii=true)
"\u007f\u0001\u001f"|tojson
"\u007f"|tojson(true)
d|tojson(true, 2)
["\u2028"]|tojson
d.b|tojson ~ "x"
"x" ~ d.b|tojson
namespace(a=1)|tojson
quotes
[quotes]
["a'b"]
["a\"b"]
["a'b\"c"]
["\n\t\r\\"]
["\x01\x7f\u00a0\u00ad\u200b\ufeff"]
["é日🙂"]
[u]
[1.0, -0.0, 1e100]
{"k": "v'"}
[none, true, missing]
dict(a=1, b=2)
dict([("a", 1), ("b", 2)])
dict({"a": 1}, b=2)
dict({"a": 1}, a=2)
dict(5)
dict([1])
namespace(a=1).a
namespace(a=1)
namespace({"a": 1}, b=2).b
namespace().x
namespace()["x"]
namespace(a=1)["a"]
raise_exception("stop: " ~ n)
raise_exception()
strftime_now("%d %b %Y")
strftime_now("%Y-%m-%d")
strftime_now("%A %B %-d, %j %y %a %m %%")
strftime_now()
n()
s()
"x"()
l|nope
n|upper
d|upper
l|attr("x")
d|attr("a")
s|attr("upper")()
namespace(a=1)|attr("a")
l|join(*[","])
s.replace(*["l", "L"])
range(*[1, 4])|list
dict(**{"a": 1})
dict(**[1])
range(1, *[4])|list
d["a"]|string ~ "!"
s|lower|replace("o", "0")|upper
(s|lower).upper()
s|lower.upper()
1|string|length
l|sort|first
[1,2,3]|sum / 2
(l|length) * 2
l|length * 2
l|length == 3
l|length + 1 == 4
n if n is odd else "even"
"a" if missing else "b"
s[0] ~ s[-1]
s[n]
l[l|length - 1]
d.b.c|last
d["b"]["c"]|join("")
nested[1][1][0]
(1, 2)[0]
{"a": 5}.a
{"a": 5}["a"]
"abc"[1]
"abc"|list|last
[1, 2][missing]
s[missing:]
s["upper"]()
l["copy"]()
9223372036854775807 + 1
10 ** 30
1 / 0
1 // 0
1 % 0
1.0 / 0
1.0 % 0
0 ** -1
(-8) ** 0.5
10.0 ** 400
"a" - "b"
"a" + 1
1 + "a"
none + 1
[1] + (2,)
{} + {}
l * l
"a" / 2
s|safe
(s|safe) ~ "x"
(html|safe)
e|safe ~ html
s|escape
n < 10 and n > 5
n in (5, 6, 7)
(n, z)
[n, [z]]
{"n": n}
{n: "n"}
{s: 1}
[1, 2, 3][1:]|join(",")
[[1, 2], [3]]|map("join", "-")|join(";")
[{"a": 1}]|map(attribute="a")|first
"a,b"|replace(",", "\n")
"%s"|format(s)
"abc" is string
"a" == "a" and 1 or 2
(1 > 2) == false
not (1 > 2)
1 if not missing else 2
[1, none]|tojson
[x for x in l]
lambda: 1
s..x
1 +
)
(1
[1
{1: 2
{1}
1 2
a b
@
$x
"abc
'abc
s|
s.
s[
s[]
s[1,2]
s[1:2:3:4]
s is
n is not
not
n if
* 2
f(x=1, 2)
f(**a, *b)
dict(a=1, a=2)
1 is odd is true
"a" "b" + "c"
0777
00
1__0
1.
.5
1.5.2
1.e3
0x
loop
self
caller
varargs
é
x = 1
1 == 
~ 1
1 ~
s | upper
s|upper|lower
s |upper() 
s|upper(1)
s.upper(1)
s|replace
s|replace("a")
s|trim(5)
l|first(1)
d.get()
d.items(1)
range(1,2,3,4)
people[0].name
people[0]["name"]
people[-1].tags
people.0.name
people[0].tags[0]
people[1].tags[0]
people[1].tags is defined and people[1].tags
people|length > 2
people|map(attribute="age")|sum
people|map(attribute="age")|list
people|first
people|tojson
"<" ~ people[0].name ~ ">"
big + 1
big * 2
-big
big / 2
big // 2
big ** 2
9223372036854775807 * 2
-9223372036854775807 - 1
(-9223372036854775807 - 1) // -1
(-9223372036854775807 - 1) % -1
1e308 * 10
-1e308 * 10
1e308 * 10 - 1e308 * 10
1e400
123456789.123456789
0.1
1.10
100.0
1e5
12345678901234567890.0
4.35
2.2250738585072014e-308
true < 2
false == 0
true ~ ""
[true, false, none]|join(",")
{"a": true}|tojson
1 ~ 1.0 ~ 1e20
"\u00e9" == "é"
"é"|length
"日本" * 2
"日本"[0]
"日本"[::-1]
"🙂"|tojson(ensure_ascii=true)
"🙂é" in u
"é" in u
"a" ~ "é" ~ "🙂"
u.upper().lower()
u.startswith("é")
u.replace("日本", "J")
u.split("本")
u.strip("éx")
u.index("x")
u|first ~ u|last
u|list|join("-")
z|map("first")|list
none_value|select|list
no|reject("nope")|list
(l|map("string")|reverse)[0]
people|sort(attribute="nope")|length
[none, none]|sort
[missing, missing]|sort|length
"%s" is odd
"x" % missing
"%s" % missing
"aBc É ß".swapcase()
"tést"|capitalize
"ÉCOLE"|lower
"straße"|upper
"ﬁn"|title
"ŉa"|capitalize
""".strip("\n").split("\n")

TEMPLATES = [
    # whitespace control
    "a\n", "a\n\n", "\na", "a\r\nb\rc", "a {{ 1 }} b", "a {{- 1 -}} b", "a {{+ 1 }} b", "a\n{{- 1 }}\nb", "a\n{{ 1 -}}\nb", "a\n  {{ 1 }}\nb",
    "a\n{% if true %}\nb\n{% endif %}\nc", "a\n  {% if true %}  \n  b\n  {% endif %}\n  c", "a {% if true %} b {% endif %} c", "  {% if true %}\n  x\n  {% endif %}\n",
    "a\n  {%- if true -%}\n  b\n  {%- endif -%}\n  c", "a\n  {%+ if true +%}\n  b\n  {%+ endif +%}\n  c", "a  {%- if true %}\n b {%- endif %}", "a {# c #} b", "a\n  {# c #}\nb",
    "a\n  {#- c -#}\n  b", "a\n  {#+ c +#}\nb", "{# c #}\n\nx", "{#- c -#}\n\nx", "{##}x", "{#-#}x", "{# a {{ b }} {% c %} #}x", "{# # } #}x", "{% if true %}\n\n\nx{% endif %}",
    "\t{% set x = 1 %}\t\n{{ x }}", "x\t{% set x = 1 %}\t\n{{ x }}", "{{ 1 }}\n{{ 2 }}\n", "{{ 1 }}\n\n{{ 2 }}", "{%- if true -%} a {%- endif -%}", "{% if true -%}\n\n a{% endif %}",
    "x\u00a0{%- if true %}y{% endif %}", "x\u2003\n\u2003{% if true %}y{% endif %}", "{% if true %}{% endif %}\n{% if true %}{% endif %}\nx", "  {% if 1 %}{% if 1 %}x{% endif %}{% endif %}",
    "{% if 1 %}  {% if 1 %}x{% endif %}{% endif %}", "{{ 1 }}  {% if 1 %}x{% endif %}", "{% set x = 1 %}  {% set y = 2 %}\n  {{ x }}", "a\n\n  {%- set x = 1 %}\n\nb", "{{ '\n' }}{% if 1 %}x{% endif %}",
    "{{-1}}", "{{--1}}", "{{ -1 -}}  x", "{{'a'-}} b", "{%if true%}x{%endif%}", "{%\nif\ntrue\n%}x{%\nendif\n%}", "{{\n1\n}}", "{ { 1 } }", "{ % if % }", "}} %} #}", "{", "{{", "{%", "{#", "{{ 1", "{% if", "{# x",
    "a{", "a{ {", "{{ '}}' }}", "{{ '%}' }}", "{{ {'a': {'b': 1}}['a']['b'] }}", "{{ {'a':{}} }}", "{% if {'a': {}} %}x{% endif %}", "{{ }}", "{{}}", "{% %}", "{%%}", "{% 1 %}", "{{ 1 }",
    "{% raw %}{{ x }}{% if %}{% endraw %}", "a {% raw %} b {% endraw %} c", "a\n  {% raw %}\n  b\n  {% endraw %}\n  c", "a {%- raw -%} b {%- endraw -%} c", "{% raw %}\n{{ x }}\n{% endraw %}\nx", "{% raw -%}\n x {%+ endraw +%}\nx",
    "{% raw %}{% raw %}{% endraw %}", "{% raw %}x", "{% raw %}", "{% for a in 1, %}{{ a }}{% endfor %}", "{{ html ~ (e|safe) }}", "{{ missing|reverse|list }}", "{% rawx %}", "{% endraw %}", "{%raw%}x{%endraw%}",
    # statements
    "{% if n == 7 %}a{% elif n == 8 %}b{% else %}c{% endif %}", "{% if n == 8 %}a{% elif n == 7 %}b{% else %}c{% endif %}", "{% if 0 %}a{% elif 0 %}b{% else %}c{% endif %}", "{% if 0 %}a{% endif %}",
    "{% if 0 %}a{% elif 0 %}b{% elif 1 %}c{% elif 1 %}d{% endif %}", "{% if 0 %}{% else %}{% if 1 %}x{% endif %}y{% endif %}", "{% if 0 %}{% else %}{% if 0 %}x{% else %}z{% endif %}{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}", "{% if missing.x %}a{% endif %}", "{% if s, %}x{% endif %}", "{% if 1 if 0 else 1 %}x{% endif %}", "{% if 1: %}x{% endif %}", "{% if %}x{% endif %}", "{% if 1 %}x", "{% if 1 %}{% else %}",
    "{% if 1 %}{% endfor %}", "{% endif %}", "{% else %}", "{% if 1 %}{% else %}{% else %}{% endif %}", "{% if 1 %}{% else if 2 %}{% endif %}",
    "{% for x in l %}{{ x }}{% endfor %}", "{% for x in l %}{{ x }},{% else %}none{% endfor %}", "{% for x in [] %}{{ x }}{% else %}none{% endfor %}", "{% for x in missing %}{{ x }}{% else %}none{% endfor %}",
    "{% for x in l if x > 1 %}{{ x }}{{ loop.index }}/{{ loop.length }} {% endfor %}", "{% for x in l if x > 9 %}{{ x }}{% else %}none{% endfor %}", "{% for x in n %}{% endfor %}", "{% for x in none_value %}{% endfor %}",
    "{% for c in s %}{{ c }}.{% endfor %}", "{% for c in u %}{{ c }}.{% endfor %}", "{% for k in d %}{{ k }},{% endfor %}", "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}", "{% for k, v in d|items %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }};{% endfor %}", "{% for a, b in [(1, 2), [3, 4], 'xy'] %}{{ a }}{{ b }} {% endfor %}", "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}", "{% for a, b in [(1, 2, 3)] %}{% endfor %}",
    "{% for a, b in [1] %}{% endfor %}", "{% for a, b in [(1,)] %}{% endfor %}", "{% for (a, b) in [(1, 2)] %}{{ a }}{% endfor %}", "{% for a, in [(1,)] %}{{ a }}{% endfor %}", "{% for x in 1, 2, 3 %}{{ x }}{% endfor %}", "{% for x in range(3) %}{{ x }}{% endfor %}",
    "{% for x in l %}{{ loop.index }}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{{ loop.last }}{{ loop.length }}{{ loop.depth }}{{ loop.depth0 }} {% endfor %}",
    "{% for x in l %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}", "{% for x in l %}{{ loop.previtem is defined }}{{ loop.nextitem is defined }}{% endfor %}", "{% for x in l %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}", "{% for x in l %}{{ loop.nope }}{% endfor %}", "{% for x in l %}{{ loop.nope.x }}{% endfor %}", "{% for x in l %}{{ loop }}{% endfor %}", "{% for x in l %}{{ loop['index'] }}{% endfor %}",
    "{% for x in l %}{% for y in l %}{{ loop.index }}{% endfor %}{{ loop.index }} {% endfor %}", "{% for x in l %}{% set outer = loop %}{% for y in [1] %}{{ outer.index }}{% endfor %}{% endfor %}", "{{ loop.index }}", "{% for x in l %}{% endfor %}{{ x }}", "{% for x in l %}{% endfor %}{{ loop }}",
    "{% for x in l %}{% if x == 1 %}{% break %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% if x == 1 %}{% continue %}{% endif %}{{ x }}{% endfor %}", "{% for x in l %}{% break %}{% else %}e{% endfor %}", "{% for x in l %}{% continue %}{% else %}e{% endfor %}",
    "{% for x in l %}{% if loop.last %}{% break %}{% endif %}{% else %}e{% endfor %}", "{% break %}", "{% continue %}", "{% for x in l %}{% for y in l %}{% break %}{% endfor %}{{ x }}{% endfor %}", "{% for x in l %}{% macro m() %}{% break %}{% endmacro %}{% endfor %}",
    "{% for x in nested recursive %}[{% if x is iterable %}{{ loop(x) }}{% else %}{{ x }}@{{ loop.depth }}{% endif %}]{% endfor %}", "{% for x in l %}{{ loop(l) }}{% endfor %}", "{% for x in l[::-1] %}{{ x }}{% endfor %}", "{% for x in l|sort %}{{ x }}{% endfor %}",
    "{% for x in (l if t else []) %}{{ x }}{% endfor %}", "{% for x in l if t else [] %}{{ x }}{% endfor %}", "{% for x in l: %}{{ x }}{% endfor %}", "{% for x y in l %}{% endfor %}", "{% for 1 in l %}{% endfor %}", "{% for x in %}{% endfor %}", "{% for x.y in l %}{% endfor %}", "{% for x in l %}",
    "{% for p in people %}{{ p.name }}:{{ p.tags|default([])|join }};{% endfor %}", "{% for x in l %}{% if loop.first %}a{% elif loop.last %}z{% else %}m{% endif %}{% endfor %}", "{% for x in l %}{{ x }}{{ ', ' if not loop.last }}{% endfor %}", "{% for x in l %}{{ x }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for i in range(l|length) %}{{ l[i] }}{% endfor %}", "{% set g = l|select('odd') %}{{ g|list }}{{ g|list }}", "{% set g = l|map('string') %}{{ g|first }}{{ g|join }}", "{% for x in l|select('odd') %}{{ x }}{{ loop.length }}{% endfor %}",
    # set and scope
    "{% set x = 1 %}{{ x }}", "{% set x = 1, 2 %}{{ x }}", "{% set a, b = 1, 2 %}{{ a }}{{ b }}", "{% set a, b = 'xy' %}{{ a }}{{ b }}", "{% set (a, b) = (1, 2) %}{{ a }}", "{% set a, b = 1 %}", "{% set a, b = [1] %}", "{% set x %}a{{ n }}b{% endset %}{{ x }}|{{ x|upper }}",
    "{% set x | upper %}a{{ s }}{% endset %}{{ x }}", "{% set x | upper | replace('A', 'b') %}aa{% endset %}{{ x }}", "{% set x %}{% set y = 1 %}{{ y }}{% endset %}{{ x }}{{ y }}", "{% set x = 1 %}{% if true %}{% set x = 2 %}{% endif %}{{ x }}", "{% if true %}{% set q = 2 %}{% endif %}{{ q }}",
    "{% if false %}{% set q = 2 %}{% endif %}{{ q }}", "{% set x = 1 %}{% for i in l %}{% set x = i %}{{ x }}{% endfor %}{{ x }}", "{% for i in l %}{% set y = i %}{% endfor %}{{ y }}", "{% for i in l %}{{ y }}{% set y = i %}{% endfor %}", "{% set x = 1 %}{% for i in l %}{{ x }}{% set x = x + 1 %}{% endfor %}",
    "{% set ns = namespace(x=0) %}{% for i in l %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "{% set ns = namespace() %}{% set ns.a = 1 %}{% set ns.b, y = 2, 3 %}{{ ns.a }}{{ ns.b }}{{ y }}", "{% set ns = {} %}{% set ns.a = 1 %}", "{% set nope.a = 1 %}", "{% set ns = namespace(a=1) %}{{ ns }}",
    "{% set ns = namespace() %}{% set ns.me = ns %}{{ ns.me.me is defined }}", "{% set ns = namespace() %}{% set ns._x = 1 %}", "{% set ns = namespace() %}{% set ns.x %}block{% endset %}{{ ns.x }}", "{% set d.a = 5 %}", "{% set l[0] = 1 %}", "{% set 1 = 2 %}", "{% set x %}", "{% set x = %}", "{% set true = 1 %}", "{% set = 1 %}",
    "{% set s = s ~ '!' %}{{ s }}", "{% set range = 5 %}{{ range }}", "{% set namespace = 1 %}{{ namespace }}", "{% with %}{{ n }}{% endwith %}", "{% with x = 1 %}{{ x }}{% endwith %}{{ x }}", "{% with x = 1, y = 2 %}{{ x }}{{ y }}{% endwith %}", "{% set x = 9 %}{% with x = 1, y = x %}{{ x }}{{ y }}{% endwith %}{{ x }}",
    "{% with x = 1 %}{% set x = 2 %}{{ x }}{% endwith %}", "{% with a, b = (1, 2) %}{{ a }}{{ b }}{% endwith %}", "{% filter upper %}a{{ s }}{% endfilter %}", "{% filter replace('a', 'b')|upper %}banana{% endfilter %}", "{% filter nope %}x{% endfilter %}", "{% filter length %}x{% endfilter %}", "{% set y | length %}abc{% endset %}{{ y + 1 }}", "{% filter upper %}{% set q = 1 %}{{ q }}{% endfilter %}{{ q }}",
    "{% print 1 %}", "{% print 1, 'a' %}", "{% generation %}x{{ n }}{% endgeneration %}", "{% generation %}{% set q = 1 %}{{ q }}{% endgeneration %}{{ q }}", "a\n{% generation %}\nx\n{% endgeneration %}\nb", "{% for x in l %}{% generation %}{{ x }}{{ loop.index }}{% endgeneration %}{% endfor %}",
    # macros
    "{% macro m() %}x{% endmacro %}{{ m() }}{{ m() }}", "{% macro m(a) %}[{{ a }}]{% endmacro %}{{ m(1) }}{{ m('b') }}{{ m() }}{{ m(a=2) }}", "{% macro m(a, b=2) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, 3) }}{{ m(b=5, a=4) }}", "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}",
    "{% macro m(a) %}{% endmacro %}{{ m(1, 2) }}", "{% macro m(a) %}{% endmacro %}{{ m(b=1) }}", "{% macro m(a) %}{% endmacro %}{{ m(1, a=1) }}", "{% macro m(a=1, b) %}{% endmacro %}", "{% macro m() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ m(1, 2, x=3) }}", "{% macro m(a) %}{{ a }}{{ varargs|join }}{% endmacro %}{{ m(1, 2, 3) }}",
    "{% macro m() %}{{ n }}{{ later }}{% endmacro %}{% set later = 5 %}{{ m() }}", "{% macro m() %}{% set inner = 1 %}{{ inner }}{% endmacro %}{{ m() }}{{ inner }}", "{% macro fact(k) %}{{ k if k < 2 else k * (fact(k - 1)|int) }}{% endmacro %}{{ fact(5) }}", "{% macro m() %}a{% endmacro %}{{ m }}", "{% macro m(a, b) %}{% endmacro %}{{ m.name }}{{ m.arguments }}{{ m.catch_kwargs }}{{ m.catch_varargs }}{{ m.caller }}",
    "{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}body{{ n }}{% endcall %}", "{% macro m() %}{{ caller(1, 2) }}{% endmacro %}{% call(a, b) m() %}{{ a }}{{ b }}{% endcall %}", "{% macro m(x) %}{{ x }}{{ caller() }}{% endmacro %}{% call m(5) %}c{% endcall %}", "{% macro m() %}x{% endmacro %}{% call m() %}c{% endcall %}", "{% macro m() %}{{ caller }}{% endmacro %}{{ m() }}", "{% macro m() %}{{ caller() }}{% endmacro %}{{ m() }}",
    "{% macro m() %}{% if caller %}{{ caller() }}{% else %}none{% endif %}{% endmacro %}{{ m() }}{% call m() %}c{% endcall %}", "{% call 5 %}{% endcall %}", "{% call nope() %}{% endcall %}", "{% macro a() %}{{ b() }}{% endmacro %}{% macro b() %}b{% endmacro %}{{ a() }}", "{{ m() }}{% macro m() %}x{% endmacro %}", "{% for x in l %}{% macro m() %}{{ x }}{% endmacro %}{{ m() }}{% endfor %}",
    "{% macro m(a) %}{{ a|upper }}{% endmacro %}{{ m('x') ~ m('y')|lower }}", "{% macro m() -%}\n  x\n{%- endmacro %}[{{ m() }}]", "{% macro m() %}{{ m is callable }}{% endmacro %}{{ m() }}", "{% macro %}{% endmacro %}", "{% macro m %}{% endmacro %}", "{% macro m( %}{% endmacro %}", "{% macro m() %}", "{% macro m(a) %}{{ a }}{% endmacro %}{{ m(*[1]) }}{{ m(**{'a': 2}) }}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    # refused
    "{% include 'x' %}", "{% import 'x' as y %}", "{% from 'x' import y %}", "{% extends 'x' %}", "{% unknown %}", "{% do l.append(1) %}", "{% trans %}x{% endtrans %}", "{% debug %}",
    # what went through `safe`, and HTML
    "{{ '<b>' ~ ('{\"a\": 1}'|safe) ~ '</b>' }}", "{{ [('a'|safe), '<'] | join(',') }}", "{{ ('x'|safe) + '<' }}", "{{ '<' + ('x'|safe) }}",
    "{{ ('x'|safe).replace('x', '<') }} {{ ('%s'|safe)|format('<') }}", "{{ (('x'|safe)~'y') + '<' }}", "{{ ([('x'|safe)]|join) + '<' }}", "{{ ('x'|safe).upper() + '<' }}",
    "{{ ('xyz'|safe)[0] + '<' }}", "{{ ('xyz'|safe)|upper + '<' }}", "{{ ('xyz'|safe)|trim + '<' }}", "{{ ('<xyz>'|safe)|replace('x','<') }}",
    "{{ '<xyz>'|replace('x'|safe,'<') }}", "{{ '<xyz>'|replace('x','<'|safe) }}", "{{ ('x'|safe) * 2 + '<' }}", "{{ (','|safe).join(['<','>']) }}",
    "{{ ('{}'|safe).format('<') }}", "{{ ('a,b'|safe).split(',')[0] + '<' }}", "{{ ('%s'|safe) % '<' }}", "{{ ('%s'|safe) % ('<','a') }}",
    "{{ ('x'|safe)|string + '<' }}", "{{ ('x'|safe)|list|first + '<' }}", "{% for c in 'x'|safe %}{{ c + '<' }}{% endfor %}", "{{ ('x'|safe)|indent + '<' }}",
    "{{ {'a':1}|tojson + '<' }}", "{{ {'a':'<'}|tojson }}", "{{ '<'|e }}{{ '<'|escape + '<' }}", "{{ ('<'|e)|e }}",
    "{{ '<'|forceescape }}", "{{ ('x'|safe) is escaped }}{{ 'x' is escaped }}", "{% set y %}a{% endset %}{{ y + '<' }}", "{% macro f() %}a{% endmacro %}{{ f() + '<' }}",
    "{{ ('x'|safe).strip() + '<' }}", "{{ '<' ~ ('x'|safe) + '<' }}", "{{ ('x'|safe) == 'x' }}", "{{ ('a b'|safe)|wordcount }}",
    "{{ ('xyz'|safe)[::-1] + '<' }}", "{{ 'x'|capitalize|safe + '<'}}", "{{ ('xyz'|safe)|first + '<' }}", "{{ ('%s'|safe) % ['<'] }}",
    "{{ ('%d'|safe) % 3 + '<' }}", "{{ ('x'|safe) in '<x' }}", "{{ (['<']|join('x'|safe)) + '<' }}", "{{ ('a'|safe).title() + ('b'|safe).capitalize() + '<' }}",
    "{{ ('abc'|safe).replace('b', 'x'|safe) + '<' }}", "{{ 'abc'.replace('b', '<'|safe) + '<' }}", "{{ ('x'|safe).format() + '<' }}", "{{ ('x'|safe).center(5) + '<' }}",
    "{{ ('ab'|safe).partition('b')[0] + '<' }}", "{{ ('a\nb'|safe).splitlines()[0] + '<' }}", "{{ [('a'|safe)] }}", "{{ ('a&b'|safe)|e }}|{{ 'a&\"b\\''|e }}",
    "{{ ('x'|safe)|forceescape }}{{ ('<'|safe)|forceescape }}", "{{ s|striptags }}",
    # filters that few templates use, and the time of day
    "{{ 'a b'|wordcount }}{{ 'a_b c-d ä1'|wordcount }}{{ ''|wordcount }}", "{{ 'abcdefghijkl'|truncate(5) }}{{ 'foo bar baz qux'|truncate(9) }}", "{{ 'foo bar baz qux'|truncate(9, true) }}{{ 'foo bar baz qux'|truncate(11) }}{{ 'foo bar baz qux'|truncate(11, false, '..', 0) }}", "{{ 'a b/ü?~-'|urlencode }}{{ 5|urlencode }}", "{{ range(7)|slice(3)|list }}{{ range(7)|slice(3, 'x')|list }}{{ range(2)|slice(3, 'x')|list }}{{ range(4)|slice(2)|list }}", "{{ ' 5 '|int + 1 }}{{ ' 5.5 '|float + 1 }}", "{{ strftime_now('%H:%M:%S|%I|%p|%R|%T|%-H|%Y') }}",
    # errors raised
    "{{ raise_exception('Conversation roles must alternate') }}", "a{% if n == 7 %}{{ raise_exception('n is ' ~ n ~ '!') }}{% endif %}", "{% for x in l %}{{ raise_exception(x) }}{% endfor %}", "{{ raise_exception(missing) }}", "{{ raise_exception('é ' ~ u) }}",
    # what chat templates do
    "{% for m in [m, {'role': 'assistant', 'content': none}] %}{{ '<|' + m['role'] + '|>' + (m['content'] or '') }}{% endfor %}", "{{ m.content if m.content is string else '' }}", "{% if 'tool_calls' in m and m.tool_calls %}x{% else %}y{% endif %}", "{%- if not add_generation_prompt is defined %}{% set add_generation_prompt = false %}{% endif %}{{ add_generation_prompt }}",
    "{% set content = '<think>a</think>b' %}{% if '</think>' in content %}{% set content = content.split('</think>')[-1].lstrip('\n') %}{% endif %}{{ content }}", "{{ '<think>\nr\n</think>\n\nx'.split('</think>')[0].rstrip('\n').split('<think>')[-1].lstrip('\n') }}", "{{- 'Today Date: ' + strftime_now('%d %b %Y') + '\n\n' }}",
    "{% set loop_messages = people[1:] %}{% for m in loop_messages %}{% if (m['age'] == 25) != (loop.index0 % 2 == 0) %}{{ raise_exception('alternate!') }}{% endif %}{{ m.name|trim }}{% endfor %}", "{% for k, v in {'a': 1, 'b': 'x'}|items %}{{ k + '=' + v|string }}{% endfor %}", "{%- macro render(x) %}{%- if x is mapping %}{{- '{' }}{%- for k, v in x|dictsort %}{{- k }}:{{- render(v) }}{%- endfor %}{{- '}' }}{%- elif x is iterable and x is not string %}[{%- for v in x %}{{- render(v) }}{%- if not loop.last %},{%- endif %}{%- endfor %}]{%- else %}{{- x }}{%- endif %}{%- endmacro %}{{ render(d) }}{{ render(nested) }}",
]


def snippets():
    for e in EXPRESSIONS:
        yield "{{ " + e + " }}"
    yield from TEMPLATES
