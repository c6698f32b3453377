package telemetry_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/roostgo/roost/telemetry"
)

// shown returns as JSON what a filter shows of a JSON text.
func shown(t *testing.T, f telemetry.Filter, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(f.Apply(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// pair is what comes in and what a log shows of it.
type pair struct{ in, out string }

func compare(t *testing.T, f telemetry.Filter, pairs []pair) {
	t.Helper()
	for _, p := range pairs {
		if got := shown(t, f, p.in); got != p.out {
			t.Errorf("%s is shown as %s, want %s", p.in, got, p.out)
		}
	}
}

// Clause 283: parameters whose key contains password or token are filtered.
func TestValuesWhoseKeysSoundSecretAreNotShown(t *testing.T) {
	compare(t, telemetry.Filter{}, []pair{
		{`{"password":"hunter2"}`, `{"password":"[FILTERED]"}`},
		{`{"token":"abc"}`, `{"token":"[FILTERED]"}`},
		{`{"user_password_again":"hunter2"}`, `{"user_password_again":"[FILTERED]"}`},
		{`{"_csrf_token":7}`, `{"_csrf_token":"[FILTERED]"}`},
		{`{"password":{"old":"a","new":"b"}}`, `{"password":"[FILTERED]"}`},
		{`{"tokens":["a","b"]}`, `{"tokens":"[FILTERED]"}`},
		{`{"token":null}`, `{"token":"[FILTERED]"}`},
		{`{"user":{"name":"ada","password":"hunter2"}}`, `{"user":{"name":"ada","password":"[FILTERED]"}}`},
		{`[{"list":[{"token":"abc"},1]}]`, `[{"list":[{"token":"[FILTERED]"},1]}]`},
		{`{"Password":"hunter2","authToken":"x","PASSWORD2":"y"}`, `{"PASSWORD2":"[FILTERED]","Password":"[FILTERED]","authToken":"[FILTERED]"}`},
		{`{"clientSecret":"x","Authorization":"Basic eA==","apiKey":"y","api_key":"z"}`,
			`{"Authorization":"[FILTERED]","apiKey":"[FILTERED]","api_key":"[FILTERED]","clientSecret":"[FILTERED]"}`},
		{`{"pass":"x","word":1.5,"t":true,"o":null}`, `{"o":null,"pass":"x","t":true,"word":1.5}`},
		{`{"what":"password"}`, `{"what":"password"}`},
		{`null`, `null`},
		{`7`, `7`},
	})
}

// Clause 284: texts that contain password= are filtered.
func TestTextsThatHoldASecretAreNotShown(t *testing.T) {
	compare(t, telemetry.Filter{}, []pair{
		{`{"query":"name=ada&password=hunter2"}`, `{"query":"[FILTERED]"}`},
		{`{"url":"https://example.com/?token=abc"}`, `{"url":"[FILTERED]"}`},
		{`{"query":"old_password=hunter2"}`, `{"query":"[FILTERED]"}`},
		{`{"a":{"b":["password=hunter2","b"]}}`, `{"a":{"b":["[FILTERED]","b"]}}`},
		{`"password=hunter2"`, `"[FILTERED]"`},
		{`{"query":"password = hunter2"}`, `{"query":"password = hunter2"}`},
		{`{"query":"PASSWORD=hunter2"}`, `{"query":"[FILTERED]"}`},
	})
}

func TestOtherTermsReplaceTheUsualOnes(t *testing.T) {
	compare(t, telemetry.Filter{Discard: []string{"PIN", "ssn"}}, []pair{
		{`{"pin":1234,"my_ssn":"1","password":"x","q":"ssn=1"}`, `{"my_ssn":"[FILTERED]","password":"x","pin":"[FILTERED]","q":"[FILTERED]"}`},
	})
	compare(t, telemetry.Filter{Discard: []string{}}, []pair{
		{`{"password":"x","q":"token=1"}`, `{"password":"x","q":"token=1"}`},
	})
}

// Clause 285: keep mode filters everything but the listed keys.
func TestOnlyWhatIsKeptIsShown(t *testing.T) {
	compare(t, telemetry.Filter{Keep: []string{"id", "page"}}, []pair{
		{`{"id":7,"name":"ada"}`, `{"id":7,"name":"[FILTERED]"}`},
		{`{"user_id":7,"ID":7}`, `{"ID":"[FILTERED]","user_id":"[FILTERED]"}`},
		{`{"user":{"id":7,"name":"ada"}}`, `{"user":{"id":7,"name":"[FILTERED]"}}`},
		{`[{"id":7},"ada",7,null,true,[1]]`, `[{"id":7},"[FILTERED]","[FILTERED]","[FILTERED]","[FILTERED]",["[FILTERED]"]]`},
		{`{"page":{"password":"kept is kept","list":["token=1"]}}`, `{"page":{"list":["token=1"],"password":"kept is kept"}}`},
		{`"ada"`, `"[FILTERED]"`},
		{`null`, `"[FILTERED]"`},
	})
	compare(t, telemetry.Filter{Keep: []string{}, Discard: []string{"x"}}, []pair{
		{`{"id":7,"x":{"y":1}}`, `{"id":"[FILTERED]","x":{"y":"[FILTERED]"}}`},
	})
}

func TestParametersOfARequestAreFiltered(t *testing.T) {
	got := telemetry.Filter{}.Apply(url.Values{"token": {"abc"}, "vsn": {"2.0.0"}, "q": {"a", "password=b"}})
	want := map[string]any{"token": telemetry.Filtered, "vsn": []any{"2.0.0"}, "q": []any{"a", telemetry.Filtered}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
}

func TestWhatAFilterCannotLookIntoIsNotShown(t *testing.T) {
	type login struct{ Password string }
	secret := "password=hunter2"
	for _, v := range []any{
		login{"hunter2"}, &login{"hunter2"}, []byte("hunter2"), [7]byte{}, json.RawMessage(`{"password":"hunter2"}`),
		map[int]string{1: "hunter2"}, func() string { return "hunter2" }, time.Time{}, &secret, json.Number("password=1"),
	} {
		if got := (telemetry.Filter{}).Apply(v); got != telemetry.Filtered {
			t.Errorf("%T is shown as %v", v, got)
		}
	}
}

func TestFilteringChangesNothingOfWhatItIsGiven(t *testing.T) {
	inner := map[string]any{"token": "abc"}
	v := map[string]any{"password": "hunter2", "list": []any{inner, "token=1"}}
	telemetry.Filter{}.Apply(v)
	want := map[string]any{"password": "hunter2", "list": []any{map[string]any{"token": "abc"}, "token=1"}}
	if !reflect.DeepEqual(v, want) {
		t.Errorf("%v", v)
	}
}

func TestAValueThatHoldsItselfIsShownToABound(t *testing.T) {
	v := map[string]any{"name": "ada"}
	v["self"] = v
	out, err := json.Marshal(telemetry.Filter{}.Apply(v))
	if err != nil || !strings.HasSuffix(strings.TrimRight(string(out), "}"), `"self":"[FILTERED]"`) {
		t.Errorf("%s, %v", out, err)
	}
}
