from __future__ import annotations

import time

import pytest

from updater.errors import PlanError
from updater.manifests.templates.evaluator import read_template, render_template
from updater.manifests.templates.functions import CORE, EXTENDED, TemplateFunction
from updater.manifests.templates.values import Record

_DATA = Record(
    {
        "AppName": "shop",
        "AppChanges": (
            Record({"Image": "foo/bar", "OldTag": "1.0", "Labels": {"b": "é", "a": "x"}}),
            Record({"Image": "bar/baz", "OldTag": "", "Labels": {}}),
        ),
    }
)


def _rendered(source: str, functions: dict[str, TemplateFunction] | None = None) -> str:
    known = functions or dict(CORE)
    return render_template(read_template(source, known), _DATA, known)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        # Every row was compared with Go 1.26's text/template.
        pytest.param("a {{- 1 -}} b", "a1b", id="both trim markers"),
        pytest.param("a {{-1}} b", "a -1 b", id="a minus is no marker"),
        pytest.param("{{1 -}}\n\n b", "1b", id="trims across lines"),
        pytest.param("{{/* c */}}a{{- /* c */ -}} b", "ab", id="comments"),
        pytest.param('{{ "a }} b" }}', "a }} b", id="braces in a text"),
        pytest.param("{{`a\nb`}}", "a\nb", id="raw text"),
        pytest.param(r'{{"\u00e9\x41\101\t"}}', "éAA\t", id="escapes"),
        pytest.param("{{0x1F}} {{010}} {{1_000}} {{0b11}} {{+3}}", "31 8 1000 3 3", id="integers"),
        pytest.param("{{1.50}} {{1000000.0}} {{123456.0}} {{1e-5}} {{.5}}", "1.5 1e+06 123456 1e-05 0.5", id="floats"),
        pytest.param("{{true}} {{false}}", "true false", id="booleans"),
        pytest.param("{{range 3}}{{.}}{{end}}", "012", id="range over a number"),
        pytest.param("{{range $i := 3}}{{$i}}{{end}}", "012", id="range over a number with variable"),
        pytest.param("{{range -1}}x{{else}}y{{end}}", "y", id="range over nothing"),
        pytest.param(
            "{{range $k, $v := (index .AppChanges 0).Labels}}{{$k}}={{$v}};{{end}}", "a=x;b=é;", id="maps by sorted key"
        ),
        pytest.param("{{range .AppChanges}}{{.Image}}{{break}}{{end}}", "foo/bar", id="break"),
        pytest.param(
            '{{range .AppChanges}}{{if eq .Image "foo/bar"}}{{continue}}{{end}}{{.Image}}{{end}}',
            "bar/baz",
            id="continue",
        ),
        pytest.param('{{with ""}}y{{else with "z"}}{{.}}{{end}}', "z", id="else with"),
        pytest.param("{{if 0}}a{{else if 0.0}}b{{else}}c{{end}}", "c", id="else if"),
        pytest.param("{{if $x := 0}}{{else}}{{$x}}{{end}}", "0", id="variable of a condition"),
        pytest.param("{{$x := 1}}{{if true}}{{$x = 2}}{{end}}{{$x}}", "2", id="assignment"),
        pytest.param("{{$x := 1}}{{if true}}{{$x := 2}}{{end}}{{$x}}", "1", id="inner declaration"),
        pytest.param('{{define "a"}}<{{$}}>{{end}}{{template "a" 5}}', "<5>", id="root of a called template"),
        pytest.param('{{block "b" .AppName}}<{{.}}>{{end}}', "<shop>", id="block"),
        pytest.param("{{(index .AppChanges 0).Labels}}", "map[a:x b:é]", id="a map prints sorted"),
        pytest.param("{{slice .AppChanges 1}}", "[{bar/baz  map[]}]", id="a list prints in brackets"),
        pytest.param("{{(index .AppChanges 0).Labels.zz}}", "<no value>", id="missing key by field"),
        pytest.param('{{index (index .AppChanges 0).Labels "zz"}}', "", id="missing key by index"),
        pytest.param('{{and 1 0 2}}{{or 0 "" "x"}}{{1 | and 0}}', "0x0", id="and, or"),
        pytest.param("{{and 0 (index .AppChanges 9)}}", "0", id="what is not needed is not evaluated"),
        pytest.param('{{eq "a" "b" "a"}} {{ne 1 2}} {{le 1 1}} {{gt "b" "a"}}', "true true true true", id="compare"),
        pytest.param('{{len "é"}} {{slice "abcdef" 1 3}} {{index "abc" 1}}', "2 bc 98", id="texts are bytes"),
        pytest.param('{{print 1 2 "a" 3 4}}|{{println 1 "a"}}', "1 2a3 4|1 a\n", id="print"),
        pytest.param(
            '{{html "<a href=\'x\'>"}} {{urlquery "a b/c?é~"}}', "&lt;a href=&#39;x&#39;&gt; a+b%2Fc%3F%C3%A9~"
        ),
        pytest.param(
            '{{printf "%5s|%-5s|%05d|%.2s|%q|%x|%X" "a" "b" -7 "abc" "q\\"" "hi" 255}}',
            '    a|b    |-0007|ab|"q\\""|6869|FF',
            id="verbs",
        ),
        pytest.param('{{printf "%d %s" "x" 1}}', "%!d(string=x) %!s(int=1)", id="a verb that does not fit"),
        pytest.param('{{printf "%s"}}{{printf "a" 1}}', "%!s(MISSING)a%!(EXTRA int=1)", id="too few, too many"),
        pytest.param('{{printf "%q %v" 65 .AppName}}', "'A' shop", id="quoted rune"),
    ],
)
def test_a_template_prints_what_go_prints(source: str, text: str) -> None:
    assert _rendered(source) == text


@pytest.mark.parametrize(
    "source",
    [
        *("{{.AppName", "{{end}}", "{{else}}", "{{if 1}}", "{{}}", "{{if}}x{{end}}", "{{$x}}", "{{$x := $x}}"),
        *(
            "{{/* c */ 1}}",
            "{{ /* c */ }}",
            "{{/* c",
            '{{"a}}',
            '{{"\\q"}}',
            "{{1x}}",
            "{{1.X}}",
            "{{99999999999999999999}}",
        ),
        *("{{print(1)}}", '{{print "a""b"}}', "{{(1}}", "{{()}}", "{{1 | 2}}", "{{| print}}", "{{print |}}"),
        *("{{upper .AppName}}", "{{break}}", "{{range 2}}{{end}}{{continue}}", "{{.AppName.}}", "{{..}}"),
        *('{{if 1}}{{define "y"}}{{end}}{{end}}', "{{if 1}}{{else}}{{else}}{{end}}", "{{template x}}", "{{$ := 1}}"),
        *(
            "{{with $x := 1}}{{end}}{{$x}}",
            "{{range $a, $b, $c := 3}}{{end}}",
            "{{if 1}}{{$x := 1}}{{else}}{{$x}}{{end}}",
        ),
    ],
)
def test_what_is_no_template_is_found_before_it_runs(source: str) -> None:
    with pytest.raises(PlanError) as caught:
        read_template(source)
    assert caught.value.code == "template_parse"


@pytest.mark.parametrize(
    "source",
    [
        *("{{.X}}", "{{.AppName.X}}", "{{.appname}}", "{{.AppChanges.Image}}", "{{.AppName 1}}", "{{nil}}"),
        *(
            "{{index .AppChanges 9}}",
            "{{index .AppChanges -1}}",
            '{{index .AppChanges "a"}}',
            "{{index 1 1}}",
            "{{index nil}}",
        ),
        *('{{slice "abc" 1 5}}', '{{slice "a" 0 1 1}}', "{{slice 1}}", "{{len 3}}", "{{not}}", "{{and}}", "{{eq 1}}"),
        *(
            '{{eq 1 "a"}}',
            "{{eq 1 1.0}}",
            "{{eq .AppChanges 1}}",
            "{{lt true false}}",
            '{{lt 1 "a"}}',
            '{{template "zz"}}',
        ),
        *(
            '{{range "abc"}}{{end}}',
            "{{range $i, $x := 3}}{{end}}",
            "{{range true}}{{end}}",
            '{{printf "%+v" 1}}x{{printf "%f" 1.0}}',
        ),
    ],
)
def test_what_cannot_be_done_ends_the_run(source: str) -> None:
    template = read_template(source)
    with pytest.raises(PlanError) as caught:
        render_template(template, _DATA)
    assert caught.value.code == "template_exec"


@pytest.mark.parametrize(
    ("source", "where"),
    [("ab\n {{.AppName | .Foo", "line 2, column 2"), ("x\n{{ .AppName\n  .X }}", "line 2, column 4")],
)
def test_errors_name_line_and_column(source: str, where: str) -> None:
    with pytest.raises(PlanError, match=where):
        _rendered(source)


_GROWN = '{{$x := printf "%1000d" 1}}{{range 10}}{{$x = print $x $x}}{{end}}'


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("{{range 100000}}x{{end}}", id="a long loop"),
        pytest.param("{{range 9000}}{{range 9000}}{{end}}{{end}}", id="a loop in a loop"),
        pytest.param('{{define "a"}}{{template "a"}}{{end}}{{template "a"}}', id="a template that calls itself"),
        pytest.param('{{define "a"}}{{range 9}}{{template "a"}}{{end}}{{end}}{{template "a"}}', id="and many times"),
        pytest.param('{{$x := "ab"}}{{range 100}}{{$x = print $x $x}}{{end}}', id="a text that doubles"),
        pytest.param(_GROWN + "{{print " + "$x " * 99 + "}}", id="a long text often"),
        pytest.param(_GROWN + "{{range 9000}}{{index $x 1}}{{end}}", id="a long text looked at"),
        pytest.param("{{print " + "1 " * 20_000 + "}}", id="many arguments"),
        pytest.param('{{printf "%99999999999d" 1}}', id="a wide column"),
        pytest.param("{{range 9999}}{{$.AppChanges}}" + "x" * 200 + "{{end}}", id="much output"),
        pytest.param("{{$a := 1}}" + "{{$b := 1}}" * 5000 + "{{range 9999}}{{$a}}{{end}}", id="many variables"),
        pytest.param("{{" + "(" * 3000 + "1" + ")" * 3000 + "}}", id="deep parentheses"),
        pytest.param("{{if 1}}" * 3000 + "{{end}}" * 3000, id="deep blocks"),
        pytest.param("x" * 70_000, id="a long template"),
    ],
)
def test_a_template_that_grows_or_loops_ends_soon(source: str) -> None:
    started = time.process_time()
    with pytest.raises(PlanError) as caught:
        _rendered(source)
    assert caught.value.code == "template_exec"
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('{{"Ab" | lower}}{{upper "c"}}{{trim " d "}}', "abCd"),
        ('{{trunc 2 "abc"}}{{trunc -2 "abc"}}{{trunc -9 "abc"}}', "abbcabc"),
        ('{{replace "/" "-" "a/b/c"}} {{"v1" | trimPrefix "v"}} {{"a.b" | trimSuffix ".b"}}', "a-b-c 1 a"),
        ('{{"" | default "x"}}{{"y" | default "x"}}{{default "z"}}', "xyz"),
    ],
)
def test_extended_functions_exist_only_when_switched_on(source: str, text: str) -> None:
    assert _rendered(source, dict(EXTENDED)) == text
    with pytest.raises(PlanError, match="no function"):
        read_template(source)


@pytest.mark.parametrize(
    "source",
    [
        "{{trunc `a` `b`}}",
        "{{lower 1}}",
        "{{replace 1 2 3}}",
        '{{replace "" `' + "x" * 9000 + "` `" + "y" * 9000 + "`}}",
    ],
)
def test_extended_functions_refuse_what_they_cannot_take(source: str) -> None:
    with pytest.raises(PlanError):
        _rendered(source, dict(EXTENDED))
