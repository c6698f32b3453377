package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"
)

func TestALongTextIsCutBetweenCharacters(t *testing.T) {
	for s, want := range map[string]string{
		"":                             "",
		strings.Repeat("x", MaxText):   strings.Repeat("x", MaxText),
		strings.Repeat("x", MaxText+1): strings.Repeat("x", MaxText) + "…",
		strings.Repeat("€", MaxText):   strings.Repeat("€", MaxText/3) + "…",
		"x" + strings.Repeat("😀", 200): "x" + strings.Repeat("😀", 63) + "…",
		strings.Repeat("\x80", 1000):   "…",
	} {
		if got := Cut(s); got != want {
			t.Errorf("got %q", got)
		}
	}
}

func TestWhatWasCutSharesNoMemory(t *testing.T) {
	s := strings.Repeat("x", 1000)
	if unsafe.StringData(Cut(s)) == unsafe.StringData(s) {
		t.Error("it keeps all of it alive")
	}
}

func TestALongErrorIsCutAndAShortOneIsItself(t *testing.T) {
	short := errors.New("short")
	if got := CutError(short); got != short { //nolint:errorlint // the same
		t.Errorf("got %v", got)
	}
	if got := CutError(fmt.Errorf("%s: %w", strings.Repeat("x", 1<<20), short)); len(got.Error()) != maxError+len("…") {
		t.Errorf("got %d bytes", len(got.Error()))
	}
	if got := CutError(mute{}); got != (mute{}) { //nolint:errorlint // the same
		t.Errorf("got %T", got)
	}
}

func TestALogLineIsBoundedHoweverMuchAClientSays(t *testing.T) {
	long := strings.Repeat("x", 10_000)
	many := map[string]any{}
	for i := range 1000 {
		many[fmt.Sprintf("key %05d", i)] = []any{long, map[string]any{long: long}, 1.5}
	}
	params := func(v any) Params { return NewParams(nil, func() any { return v }) }
	about := Channel{Topic: long, SocketID: long}
	for _, e := range []Event{
		SocketConnected{Socket: Socket{ID: long}, Err: errors.New(long), Params: params(many)},
		ConnectRefused{Remote: long, Err: errors.New(long)},
		ChannelJoined{Channel: about, Params: params(many)},
		ChannelHandledIn{Channel: about, Event: long, Params: params(make([]any, 100_000))},
		ChannelHandledIn{Channel: about, Event: long, Params: params(long)},
		PayloadInvalid{Channel: about, Event: long, Err: errors.New(long)},
		ChannelCrashed{Channel: about, Event: long, Err: errors.New(long)},
		MailboxFull{Channel: about, Event: long},
		MailboxFull{Channel: about, Event: long, BoundBytes: 1},
		EncodeFailed{Channel: about, Event: long, Err: errors.New(long)},
		ClientThinned{Topic: long},
		LimitHit{Key: long},
		NameTooLong{Channel: about},
	} {
		b, h := written()
		h.Handle(t.Context(), e)
		if n := b.Len(); n == 0 || n > 8<<10 || !utf8.Valid(b.Bytes()) {
			t.Errorf("%s: %d bytes", e.Name(), n)
		}
	}
}

func TestTheFirstParametersAreShownAndHowManyMoreThereAre(t *testing.T) {
	m := map[string]any{}
	for i := range 150 {
		m[fmt.Sprintf("k%03d", i)] = "v"
	}
	shown := NewParams(nil, func() any { return m }).shown().(map[string]any)
	if shown["k000"] != "v" || shown["k099"] != "v" || shown["k100"] != nil || shown["…"] != "50 more" || len(m) != 150 {
		t.Errorf("got %d: %v", len(shown), shown)
	}
	l := NewParams(nil, func() any { return []any{m, "behind", "it"} }).shown().([]any)
	if len(l) != 2 || l[1] != "… 2 more" {
		t.Errorf("got %v", l)
	}
}

func TestTheSecretsOfCutParametersStaySecret(t *testing.T) {
	var b bytes.Buffer
	p := NewParams(nil, func() any {
		return map[string]any{"a": strings.Repeat("x", 300) + " token=hunter2", "b": "hunter2 token=1"}
	})
	slog.New(slog.NewTextHandler(&b, nil)).Info("text", slog.Any("params", p))
	if strings.Contains(b.String(), "hunter2") {
		t.Errorf("got %s", &b)
	}
}
