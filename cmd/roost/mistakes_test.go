package main

import (
	"strings"
	"testing"
)

func TestAValueOfTheWrongKindIsExplained(t *testing.T) {
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"serve", "-drain-delay", "5"}, `flag -drain-delay is "5": it takes a time with its unit, as in 5s`},
		{[]string{"serve", "-max-connections", "x"}, `flag -max-connections is "x": it takes a whole number`},
		{[]string{"serve", "-insecure=perhaps"}, `flag -insecure is "perhaps": it takes true or false`},
		{[]string{"serve", "-log", "loud"}, `flag -log is "loud": it takes debug, info, warn or error`},
		{[]string{"serve", "-message-rate", "10"}, `does not say`},
		{[]string{"token", "-max-age", "x", "ada"}, `flag -max-age is "x": it takes a time`},
		{[]string{"serve", "-nonsense"}, "flag provided but not defined: -nonsense"},
	} {
		if _, _, err := told(t, tt.args...); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: got %v", tt.args, err)
		}
	}
}
