package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestAnIDIsAStringOrAnIntegerHoweverLong(t *testing.T) {
	long := strings.Repeat("9", maxBody-16)
	for body, want := range map[string]string{
		`42`: "42", `-7`: "-7", `0`: "0", `-0`: "0", `"-0"`: "-0", long: long,
		`4.5`: "", `4e1`: "", `-4E1`: "", `true`: "", `null`: "", `[4]`: "", `""`: "",
	} {
		var d dismissal
		must(t, json.Unmarshal([]byte(`{"id":`+body+`}`), &d))
		began := time.Now()
		id, ok := d.user()
		if ok != (want != "") || ok && id != want {
			t.Errorf("%.20s: got %.20q, %v, want %.20q", body, id, ok, want)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%.20s: it took %v", body, took)
		}
	}
}
