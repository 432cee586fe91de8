package main

import (
	"bytes"
	"crypto/md5"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// users checks who signs in (SCRAM-SHA-1 and SCRAM-SHA-256, RFC 5802 and RFC 7677), because the embedded FerretDB
// does not. A user of `admin` may do everything, another one has the database that it belongs to.
type users struct {
	passwords map[string]string // "database.user"
	salt      string
}

// Iterations as MongoDB has them.
const (
	sha1Iterations   = 10_000
	sha256Iterations = 15_000
)

// parseUsers reads "database.user:password,…"; an empty list means that everybody may do everything.
func parseUsers(list string) (*users, error) {
	if list == "" {
		return nil, nil
	}
	salt := make([]byte, 16)
	if _, err := rand.Read(salt); err != nil {
		return nil, err
	}
	u := &users{passwords: map[string]string{}, salt: string(salt)}
	for i, entry := range strings.Split(list, ",") {
		name, password, found := strings.Cut(entry, ":")
		database, user, dot := strings.Cut(name, ".")
		if !found || !dot || database == "" || user == "" || password == "" {
			return nil, fmt.Errorf("user %d of MONGO_WIRE_USERS is not database.user:password", i+1)
		}
		u.passwords[name] = password
	}
	return u, nil
}

// signIn is what one connection has said of itself.
type signIn struct {
	users        *users
	conversation *scram.ServerConversation
	skipEmpty    bool   // the client sends no empty message after the last one
	database     string // of the user who is signing in
	signedIn     bool
}

// open lists what may be asked before signing in, as on MongoDB.
var open = map[string]bool{"": true, "hello": true, "ismaster": true, "ping": true, "buildinfo": true}

// answer is the relay's own answer to a request, or nil where FerretDB is to give it.
func (s *signIn) answer(req request) []byte {
	if s.users == nil {
		return nil
	}
	switch req.command {
	case "saslstart", "saslcontinue":
		return reply(req.frame, s.step(req))
	}
	if open[req.command] {
		return nil
	}
	database, _ := req.document.Lookup("$db").StringValueOK()
	if s.signedIn && (s.database == "admin" || s.database == database) {
		return nil
	}
	return reply(req.frame, bson.D{{Key: "ok", Value: 0.0},
		{Key: "errmsg", Value: "not authorized on " + database + " to execute command " + req.command},
		{Key: "code", Value: int32(13)}, {Key: "codeName", Value: "Unauthorized"}})
}

func (s *signIn) step(req request) bson.D {
	_, payload, _ := req.document.Lookup("payload").BinaryOK()
	if req.command == "saslstart" {
		mechanism, _ := req.document.Lookup("mechanism").StringValueOK()
		s.database, _ = req.document.Lookup("$db").StringValueOK()
		s.skipEmpty, _ = req.document.Lookup("options", "skipEmptyExchange").BooleanOK()
		s.signedIn = false
		s.conversation = s.users.conversation(mechanism, s.database)
	}
	if s.conversation == nil {
		return refused()
	}
	done := s.signedIn // the empty message after the last one
	text := ""
	if !done {
		var err error
		if text, err = s.conversation.Step(string(payload)); err != nil {
			s.conversation = nil
			return refused()
		}
		s.signedIn = s.conversation.Valid()
		done = s.signedIn && s.skipEmpty
	}
	return bson.D{{Key: "conversationId", Value: int32(1)}, {Key: "done", Value: done},
		{Key: "payload", Value: primitive.Binary{Data: []byte(text)}}, {Key: "ok", Value: 1.0}}
}

func (u *users) conversation(mechanism, database string) *scram.ServerConversation {
	hash, factors := scram.SHA256, scram.KeyFactors{Salt: u.salt, Iters: sha256Iterations}
	if mechanism == "SCRAM-SHA-1" {
		hash, factors.Iters = scram.SHA1, sha1Iterations
	} else if mechanism != "SCRAM-SHA-256" {
		return nil
	}
	server, err := hash.NewServer(func(user string) (scram.StoredCredentials, error) {
		password, known := u.passwords[database+"."+user]
		if !known {
			return scram.StoredCredentials{}, errors.New("unknown user")
		}
		if mechanism == "SCRAM-SHA-1" {
			// MongoDB's rule for this mechanism: not the password itself, but a digest of it.
			digest := md5.Sum([]byte(user + ":mongo:" + password))
			password = hex.EncodeToString(digest[:])
		}
		client, err := hash.NewClientUnprepped(user, password, "")
		if err != nil {
			return scram.StoredCredentials{}, err
		}
		return client.GetStoredCredentials(factors), nil
	})
	if err != nil {
		return nil
	}
	return server.NewConversation()
}

func refused() bson.D {
	return bson.D{{Key: "ok", Value: 0.0}, {Key: "errmsg", Value: "Authentication failed."},
		{Key: "code", Value: int32(18)}, {Key: "codeName", Value: "AuthenticationFailed"}}
}

// reply is an OP_MSG that answers the given frame.
func reply(question []byte, document bson.D) []byte {
	body, err := bson.Marshal(document)
	if err != nil {
		panic(err) // made of nothing but the above
	}
	var frame bytes.Buffer
	for _, number := range []uint32{uint32(headerSize + 5 + len(body)), 0, binary.LittleEndian.Uint32(question[4:]), opMsg, 0} {
		binary.Write(&frame, binary.LittleEndian, number)
	}
	frame.WriteByte(0)
	frame.Write(body)
	return frame.Bytes()
}
