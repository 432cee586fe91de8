// mongo-wire serves the MongoDB wire protocol on a PostgreSQL database: the
// embeddable FerretDB 1 behind a relay that lets one writing command through at
// a time. For development and tests; production runs a real mongo.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "mongo-wire:", err)
		os.Exit(1)
	}
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:27017", "address to listen on: host:port, where port 0 takes a free one, or unix:PATH, a socket in a folder\nthat decides who may connect")
	url := flag.String("postgresql-url", os.Getenv("MONGO_WIRE_POSTGRESQL_URL"),
		"database that keeps the documents, postgres://user:password@host:port/name;\n"+
			"MONGO_WIRE_POSTGRESQL_URL sets it too, and keeps a password out of the process list")
	maxFrame := flag.Int("max-frame", 48_000_000, "largest frame accepted, bytes")
	maxConnections := flag.Int("max-connections", 1000, "clients served at a time; further ones are closed")
	grace := flag.Duration("grace", 5*time.Second, "how long a request in work may take at shutdown")
	verbose := flag.Bool("verbose", false, "log what FerretDB does")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "mongo-wire [OPTION...]\n"+
			"MONGO_WIRE_USERS=database.user:password,... says who may sign in; without it nobody has to.")
		flag.PrintDefaults()
	}
	flag.Parse()
	if *url == "" {
		return fmt.Errorf("--postgresql-url or MONGO_WIRE_POSTGRESQL_URL is needed")
	}
	if flag.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q", flag.Arg(0))
	}

	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelInfo
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{
		Level: level,
		// FerretDB logs the values of a query that failed, such as a duplicate key:
		// users' data, which has no place in a log.
		ReplaceAttr: func(groups []string, attr slog.Attr) slog.Attr {
			if slices.Contains(groups, "args") {
				return slog.Attr{}
			}
			return attr
		},
	}))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	// A directory of our own (mode 700) keeps other users off FerretDB's socket.
	dir, err := os.MkdirTemp("", "mongo-wire-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")

	ferret, err := ferretdb.New(&ferretdb.Config{
		Listener:      ferretdb.ListenerConfig{Unix: socket},
		Logger:        logger,
		Handler:       "postgresql",
		PostgreSQLURL: *url,
	})
	if err != nil {
		return err
	}
	// FerretDB outlives the relay, so that requests in work get their answers.
	ferretCtx, stopFerret := context.WithCancel(context.Background())
	ferretDone := make(chan error, 1)
	go func() { ferretDone <- ferret.Run(ferretCtx) }()
	defer func() {
		stopFerret()
		<-ferretDone
	}()

	users, err := parseUsers(os.Getenv("MONGO_WIRE_USERS"))
	if err != nil {
		return err
	}
	listener, err := listenOn(*listen)
	if err != nil {
		return err
	}
	// The one line on stdout: whoever asked for port 0 reads the port from it.
	if address, tcp := listener.Addr().(*net.TCPAddr); tcp {
		fmt.Printf("{\"event\":\"listening\",\"port\":%d}\n", address.Port)
	} else {
		fmt.Printf("{\"event\":\"listening\",\"socket\":%q}\n", listener.Addr())
	}

	newRelay(socket, *maxFrame, *maxConnections, users, logger).serve(ctx, listener, *grace)
	return nil
}

// listenOn takes host:port or unix:PATH. A socket of that name that an earlier process left is taken away.
func listenOn(address string) (net.Listener, error) {
	path, local := strings.CutPrefix(address, "unix:")
	if !local {
		return net.Listen("tcp", address)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode()&os.ModeSocket != 0 {
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	return net.Listen("unix", path)
}
