package main

import (
	"bytes"
	"crypto/md5"
	"encoding/hex"
	"net"
	"testing"

	"github.com/xdg-go/scram"
	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/bson/primitive"
)

// ask sends a command and reads its answer.
func ask(t *testing.T, conn net.Conn, document bson.D) bson.Raw {
	t.Helper()
	body, err := bson.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Write(message(opMsg, 0, append([]byte{0}, body...))); err != nil {
		t.Fatal(err)
	}
	var answer bytes.Buffer
	if err := readFrame(conn, &answer, 1<<20, func() {}); err != nil {
		t.Fatal(err)
	}
	return bson.Raw(answer.Bytes()[headerSize+5:])
}

func code(answer bson.Raw) int32 {
	code, _ := answer.Lookup("code").Int32OK()
	return code
}

// authenticate goes through a conversation and returns the code of its last answer, 0 for success.
func authenticate(t *testing.T, conn net.Conn, hash scram.HashGeneratorFcn, mechanism, database, user, password string) int32 {
	t.Helper()
	if mechanism == "SCRAM-SHA-1" {
		digest := md5.Sum([]byte(user + ":mongo:" + password))
		password = hex.EncodeToString(digest[:])
	}
	client, err := hash.NewClientUnprepped(user, password, "")
	if err != nil {
		t.Fatal(err)
	}
	conversation := client.NewConversation()
	text, _ := conversation.Step("")
	answer := ask(t, conn, bson.D{{Key: "saslStart", Value: 1}, {Key: "mechanism", Value: mechanism},
		{Key: "payload", Value: primitive.Binary{Data: []byte(text)}}, {Key: "$db", Value: database}})
	for code(answer) == 0 {
		if done, _ := answer.Lookup("done").BooleanOK(); done {
			return 0
		}
		if !conversation.Done() {
			_, payload, _ := answer.Lookup("payload").BinaryOK()
			if text, err = conversation.Step(string(payload)); err != nil {
				t.Fatal(err)
			}
		} else {
			text = ""
		}
		answer = ask(t, conn, bson.D{{Key: "saslContinue", Value: 1}, {Key: "conversationId", Value: 1},
			{Key: "payload", Value: primitive.Binary{Data: []byte(text)}}, {Key: "$db", Value: database}})
	}
	return code(answer)
}

func find(t *testing.T, conn net.Conn, database string) int32 {
	t.Helper()
	return code(ask(t, conn, bson.D{{Key: "find", Value: "users"}, {Key: "$db", Value: database}}))
}

func TestWhoHasNotSignedInMayAskNothing(t *testing.T) {
	users, err := parseUsers("auth.auth:right,admin.admin:root")
	if err != nil {
		t.Fatal(err)
	}
	_, address, _, _ := start(t, 10, users)
	for _, mechanism := range []struct {
		name string
		hash scram.HashGeneratorFcn
	}{{"SCRAM-SHA-1", scram.SHA1}, {"SCRAM-SHA-256", scram.SHA256}} {
		conn := dial(t, address)
		if got := find(t, conn, "auth"); got != 13 {
			t.Errorf("%s: before signing in: %d", mechanism.name, got)
		}
		for _, wrong := range [][3]string{{"auth", "auth", "wrong"}, {"auth", "nobody", "right"}, {"admin", "auth", "right"}} {
			if got := authenticate(t, conn, mechanism.hash, mechanism.name, wrong[0], wrong[1], wrong[2]); got != 18 {
				t.Errorf("%s: %v signs in: %d", mechanism.name, wrong, got)
			}
			if got := find(t, conn, "auth"); got != 13 {
				t.Errorf("%s: after a refusal: %d", mechanism.name, got)
			}
		}
		if got := authenticate(t, conn, mechanism.hash, mechanism.name, "auth", "auth", "right"); got != 0 {
			t.Fatalf("%s: the right password: %d", mechanism.name, got)
		}
		if got := find(t, conn, "auth"); got != 0 {
			t.Errorf("%s: own database: %d", mechanism.name, got)
		}
		if got := find(t, conn, "admin"); got != 13 {
			t.Errorf("%s: another database: %d", mechanism.name, got)
		}
		if got := authenticate(t, conn, mechanism.hash, mechanism.name, "admin", "admin", "root"); got != 0 {
			t.Fatalf("%s: admin: %d", mechanism.name, got)
		}
		if got := find(t, conn, "auth"); got != 0 {
			t.Errorf("%s: admin in another's database: %d", mechanism.name, got)
		}
	}
}

func TestUsersAreReadStrictly(t *testing.T) {
	if users, err := parseUsers(""); users != nil || err != nil {
		t.Errorf("none: %v, %v", users, err)
	}
	for _, list := range []string{"auth:x", "auth.auth", "auth.auth:", ".auth:x", "auth.:x", "a.b:c,"} {
		if _, err := parseUsers(list); err == nil {
			t.Errorf("%q is accepted", list)
		}
	}
}
