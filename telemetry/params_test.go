package telemetry_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/roostgo/roost/telemetry"
)

func secretParams(filter *telemetry.Filter) telemetry.Params {
	return telemetry.NewParams(filter, func() any { return map[string]any{"password": "hunter2", "name": "ada"} })
}

func TestHoweverParametersArePrintedTheirSecretsAreNot(t *testing.T) {
	p := secretParams(nil)
	encoded, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var lines bytes.Buffer
	event := telemetry.ChannelJoined{Params: p}
	slog.New(slog.NewTextHandler(&lines, nil)).Info("text", "event", event, "params", p)  //nolint:sloglint // as an application may
	slog.New(slog.NewJSONHandler(&lines, nil)).Info("json", "event", &event, "params", p) //nolint:sloglint // as an application may
	for _, text := range []string{
		fmt.Sprintf("%v", p), fmt.Sprintf("%+v", event), fmt.Sprintf("%#v", p), fmt.Sprintf("%s", p), string(encoded), lines.String(),
	} {
		if strings.Contains(text, "hunter2") || !strings.Contains(text, "ada") {
			t.Errorf("got %s", text)
		}
	}
	if got := p.Unfiltered().(map[string]any)["password"]; got != "hunter2" {
		t.Errorf("unfiltered: got %v", got)
	}
}

func TestParametersGoThroughTheirOwnFilter(t *testing.T) {
	if got := secretParams(&telemetry.Filter{Discard: []string{"name"}}).Filtered(); !reflect.DeepEqual(got, map[string]any{"password": "hunter2", "name": telemetry.Filtered}) {
		t.Errorf("got %v", got)
	}
	if got := (telemetry.Params{}).Filtered(); got != nil {
		t.Errorf("of nothing: got %v", got)
	}
}

func TestParametersAreNotDecodedForALogThatIsOff(t *testing.T) {
	decoded := 0
	p := telemetry.NewParams(nil, func() any { decoded++; return nil })
	quiet := telemetry.Log(slog.New(slog.DiscardHandler))
	loud := telemetry.Log(slog.New(slog.NewTextHandler(new(bytes.Buffer), nil)))
	quiet.Handle(t.Context(), telemetry.ChannelJoined{Params: p})
	loud.Handle(t.Context(), telemetry.ChannelHandledIn{Params: p, LogLevel: slog.LevelDebug})
	loud.Handle(t.Context(), telemetry.ChannelJoined{Params: p, LogLevel: telemetry.Silent})
	if decoded != 0 {
		t.Errorf("they were decoded %d times", decoded)
	}
	loud.Handle(t.Context(), telemetry.ChannelJoined{Params: p})
	if decoded != 1 {
		t.Errorf("for a log that is on they were decoded %d times", decoded)
	}
}
