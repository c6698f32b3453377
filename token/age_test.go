package token_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roostgo/roost/token"
)

func TestATokenExpires(t *testing.T) {
	const ms = time.Millisecond
	for _, c := range []struct {
		name   string
		signed time.Duration // what is signed into it; 0 is the default
		maxAge time.Duration // what whoever checks it says
		age    time.Duration // how old it is
		want   error
	}{
		{"on its last day", 0, token.AsSigned, 24 * time.Hour, nil},
		{"after a day", 0, token.AsSigned, 24*time.Hour + ms, token.ErrExpired},
		{"at its age", time.Minute, token.AsSigned, time.Minute, nil},
		{"past its age", time.Minute, token.AsSigned, time.Minute + ms, token.ErrExpired},
		{"at an age in fractions of a second", 1500 * ms, token.AsSigned, 1500 * ms, nil},
		{"past one", 1500 * ms, token.AsSigned, 1501 * ms, token.ErrExpired},
		{"signed forever", token.Forever, token.AsSigned, 50 * 365 * 24 * time.Hour, nil},
		{"signed forever, checked for a minute", token.Forever, time.Minute, time.Minute + ms, token.ErrExpired},
		{"checked forever", time.Minute, token.Forever, 50 * 365 * 24 * time.Hour, nil},
		{"checked for longer than signed", time.Minute, time.Hour, time.Hour, nil},
		{"checked for shorter than signed", time.Hour, time.Minute, time.Minute + ms, token.ErrExpired},
		{"checked for no time", time.Hour, 0, 0, token.ErrExpired},
		{"checked for less than none", time.Hour, -time.Second, 0, token.ErrExpired},
	} {
		t.Run(c.name, func(t *testing.T) {
			each(t, func(t *testing.T, kind kind) {
				synctest.Test(t, func(t *testing.T) {
					k := ring(t, token.Config{MaxAge: c.signed})
					made := kind.made(t, k.At(time.Now().Add(-c.age)), "ada")
					if err := kind.check(k, made, c.maxAge, nil); !errors.Is(err, c.want) {
						t.Errorf("%v, want %v", err, c.want)
					}
				})
			})
		})
	}
}

func TestATokenIsMadeNowUnlessToldOtherwise(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := ring(t, token.Config{MaxAge: time.Minute})
		made := kinds[0].made(t, k, "ada")
		<-time.After(time.Minute)
		if err := k.Verify(made, token.AsSigned, nil); err != nil {
			t.Errorf("after a minute: %v", err)
		}
		<-time.After(time.Millisecond)
		if err := k.Verify(made, token.AsSigned, nil); !errors.Is(err, token.ErrExpired) {
			t.Errorf("past it: %v", err)
		}
	})
}

func TestATokenFromTheFutureIsInvalid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			ahead, leeway time.Duration
			want          error
		}{
			{0, 0, nil},
			{time.Millisecond, 0, token.ErrInvalid},
			{time.Second, time.Second, nil},
			{time.Second + time.Millisecond, time.Second, token.ErrInvalid},
		} {
			k := ring(t, token.Config{Leeway: c.leeway})
			made := kinds[0].made(t, k.At(time.Now().Add(c.ahead)), "ada")
			for _, maxAge := range []time.Duration{token.AsSigned, token.Forever, time.Hour} {
				if err := k.Verify(made, maxAge, nil); !errors.Is(err, c.want) {
					t.Errorf("%v ahead with %v leeway: %v", c.ahead, c.leeway, err)
				}
			}
		}
	})
}

func TestAnExpiredTokenTellsNothing(t *testing.T) {
	k := ring(t, token.Config{})
	got := "as it was"
	made := kinds[0].made(t, k.At(time.Now().Add(-48*time.Hour)), "ada")
	if err := k.Verify(made, token.AsSigned, &got); !errors.Is(err, token.ErrExpired) || got != "as it was" {
		t.Errorf("%q, %v", got, err)
	}
}
