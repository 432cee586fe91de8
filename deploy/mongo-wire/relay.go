package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"
)

// writing lists the commands that change data or indexes. FerretDB carries them out
// as "read the document, compute, write it back", so two at a time can both win a
// conditional update. MongoDB promises exactly one winner, and so does the relay:
// it lets one of these through at a time.
var writing = map[string]bool{
	"insert": true, "update": true, "delete": true, "findandmodify": true,
	"create": true, "createindexes": true, "drop": true, "dropindexes": true,
	"dropdatabase": true, "renamecollection": true, "collmod": true,
}

const (
	frameTimeout  = 30 * time.Second // a frame that has begun must be complete by then
	answerTimeout = 60 * time.Second // FerretDB must have answered by then
	copyThreshold = 1 << 20          // a buffer larger than this is not kept between requests
)

// relay passes whole frames between TCP clients and FerretDB's unix socket:
// one connection there for each client, one request of a client at a time.
type relay struct {
	backend  string // path of the unix socket
	maxFrame int
	slots    chan struct{} // one token per accepted connection
	writer   chan struct{} // one token: whoever holds it may write
	users    *users        // nil: nobody has to sign in
	log      *slog.Logger

	mu      sync.Mutex
	clients map[net.Conn]*bool // value: a request is being answered
	wait    sync.WaitGroup
}

func newRelay(backend string, maxFrame, maxConnections int, users *users, log *slog.Logger) *relay {
	return &relay{
		backend: backend, maxFrame: maxFrame, users: users, log: log,
		slots:   make(chan struct{}, maxConnections),
		writer:  make(chan struct{}, 1),
		clients: make(map[net.Conn]*bool),
	}
}

// serve accepts until ctx ends, then closes idle clients at once and gives those
// whose request is being answered until the grace period is over.
func (r *relay) serve(ctx context.Context, listener net.Listener, grace time.Duration) {
	go func() {
		<-ctx.Done()
		listener.Close()
	}()
	for {
		conn, err := listener.Accept()
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			// Out of descriptors, most likely: wait until others have closed some.
			r.log.Error("accept failed", "error", err)
			time.Sleep(50 * time.Millisecond)
			continue
		}
		select {
		case r.slots <- struct{}{}:
		default:
			r.log.Warn("too many connections", "client", conn.RemoteAddr().String())
			conn.Close()
			continue
		}
		r.wait.Add(1)
		go func() {
			defer r.wait.Done()
			defer func() { <-r.slots }()
			if err := r.session(ctx, conn); err != nil {
				r.log.Warn("connection ended", "client", conn.RemoteAddr().String(), "error", err)
			}
		}()
	}

	done := make(chan struct{})
	go func() { r.wait.Wait(); close(done) }()
	r.closeClients(false)
	select {
	case <-done:
	case <-time.After(grace):
		r.closeClients(true)
		<-done
	}
}

func (r *relay) closeClients(busyToo bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for conn, busy := range r.clients {
		if busyToo || !*busy {
			conn.Close()
		}
	}
}

// session serves one client until it leaves; a nil error is an ordinary end.
func (r *relay) session(ctx context.Context, client net.Conn) error {
	busy := false
	r.mu.Lock()
	r.clients[client] = &busy
	r.mu.Unlock()
	defer func() {
		client.Close()
		r.mu.Lock()
		delete(r.clients, client)
		r.mu.Unlock()
	}()

	backend, err := net.Dial("unix", r.backend)
	if err != nil {
		return err
	}
	defer backend.Close()

	fromClient, fromBackend := bufio.NewReader(client), bufio.NewReader(backend)
	signIn := signIn{users: r.users}
	var question, answer bytes.Buffer
	for ctx.Err() == nil {
		err := readFrame(fromClient, &question, r.maxFrame, func() {
			r.mu.Lock()
			busy = true
			r.mu.Unlock()
			client.SetReadDeadline(time.Now().Add(frameTimeout))
		})
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
				return nil
			}
			return err
		}
		client.SetReadDeadline(time.Time{})

		req, err := parseRequest(question.Bytes())
		if err != nil {
			return err
		}
		if own := signIn.answer(req); own != nil {
			answer.Reset()
			answer.Write(own)
		} else if err := r.exchange(req, backend, fromBackend, &answer); err != nil {
			return err
		}
		if !req.oneWay {
			client.SetWriteDeadline(time.Now().Add(frameTimeout))
			if _, err := client.Write(answer.Bytes()); err != nil {
				return err
			}
		}
		r.mu.Lock()
		busy = false
		r.mu.Unlock()
		for _, buffer := range []*bytes.Buffer{&question, &answer} {
			if buffer.Cap() > copyThreshold {
				*buffer = bytes.Buffer{}
			}
		}
	}
	return nil
}

// exchange sends one request and reads its answer, alone among the writers if it
// writes. FerretDB answers a one-way request too; that answer is read and dropped
// by the caller, because only then is the write known to be over.
func (r *relay) exchange(req request, backend net.Conn, reader io.Reader, answer *bytes.Buffer) error {
	if writing[req.command] {
		r.writer <- struct{}{}
		defer func() { <-r.writer }()
	}
	backend.SetDeadline(time.Now().Add(answerTimeout))
	if _, err := backend.Write(req.frame); err != nil {
		return err
	}
	return readFrame(reader, answer, r.maxFrame, func() {})
}
