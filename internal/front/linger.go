package front

import (
	"context"
	"log/slog"
	"time"

	"github.com/roostgo/roost/internal/reuseport"
)

// ArrivalGrace is how long those may take who were on their way when the end came:
// to be accepted, and to ask.
const ArrivalGrace = time.Second

// shaker is a listener with handshakes of its own.
type shaker interface {
	Shutdown(ctx context.Context) error
}

// linger goes on serving for a while: for the delay, when the end was wished for,
// and until who waits to be accepted on a shared port has been. Then nobody more is
// accepted, and those who are in a handshake end it.
func (a *Acceptor) linger() {
	select {
	case <-a.config.Asked:
		<-time.After(a.config.Delay)
	default:
	}
	if a.config.Shared != nil {
		ctx, cancel := context.WithTimeout(context.Background(), ArrivalGrace)
		defer cancel()
		reuseport.Emptied(ctx, a.config.Shared)
	}
	if l, ok := a.config.Listener.(shaker); ok {
		ctx, cancel := context.WithTimeout(context.Background(), ArrivalGrace)
		defer cancel()
		_ = l.Shutdown(ctx) // and Close follows
	}
}

// tellOfResets says how to mend that clients are reset which are connecting while
// a shared port is left.
func tellOfResets(ctx context.Context, log *slog.Logger) {
	if !reuseport.Migrates() {
		log.LogAttrs(ctx, slog.LevelInfo, "a client that connects at the moment in which this server closes its listener may be reset, and must try again",
			slog.String("mend", "sysctl net.ipv4.tcp_migrate_req=1 (Linux 5.14 and later), before the servers start"))
	}
}
