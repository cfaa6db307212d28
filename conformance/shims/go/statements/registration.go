package statements

import (
	"regexp"
	"time"

	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/problem"
)

const (
	registrationWindow = 300 * time.Second
	maxEndpoints       = 16
	maxTransferBytes   = 16_384
)

// Registered is what a registration says.
type Registered struct {
	Handle    identity.Handle
	Primary   identity.Primary
	CreatedAt time.Time
}

// flatForm is the registration that a flat form stands for at a server.
func flatForm(value any, server string) (*Envelope, error) {
	m := data.MembersOf(value, problem.EnvelopeMalformed)
	m.Require(len(m.Object) == 4)
	sig := m.Match("registration_sig", signatureForm)
	handle, createdAt := m.Text("handle", 0, data.Unbounded), m.Text("created_at", 0, data.Unbounded)
	primary := identity.Account(m, "primary")
	if m.Err != nil {
		return nil, m.Err
	}
	payload := data.Object{
		"type":       types[Registration],
		"version":    int64(1),
		"handle":     handle,
		"server":     server,
		"primary":    primary.Text,
		"created_at": createdAt,
	}
	return wrap(Registration, payload, primary, sig), nil
}

// readRegistration checks everything but the server and the window.
func readRegistration(envelope *Envelope) (Registered, error) {
	if err := envelope.Expect(Registration); err != nil {
		return Registered{}, err
	}
	m := data.MembersOf(envelope.Payload, problem.EnvelopeMalformed)
	primary := identity.Account(m, "primary")
	handle := identity.Handle{Local: m.Text("handle", 0, data.Unbounded), Server: m.Text("server", 0, data.Unbounded)}
	createdAt := time.UnixMilli(m.Time("created_at"))
	if !identity.IsLocal(handle.Local) || !identity.IsServer(handle.Server) {
		m.Check(problem.HandleMalformed)
	}
	if m.Err != nil {
		return Registered{}, m.Err
	}
	return Registered{handle, primary, createdAt}, envelope.Verify()
}

var inviteForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// withoutInvite is the registration beside an invite (KEZ-REG-046).
func withoutInvite(body any) (any, error) {
	object, isObject := body.(data.Object)
	if !isObject || object["registration"] == nil {
		return body, nil
	}
	m := data.MembersOf(object, problem.EnvelopeMalformed)
	m.Require(len(object) == 2)
	m.Match("invite", inviteForm)
	return object["registration"], m.Err
}

// CheckRegistration checks the body of a registration, as far as that does not depend on what the server holds.
func CheckRegistration(body any, server string, now time.Time) (Registered, error) {
	body, err := withoutInvite(body)
	if err != nil {
		return Registered{}, err
	}
	read := FromValue
	if object, isObject := body.(data.Object); isObject && object["registration_sig"] != nil {
		read = func(value any) (*Envelope, error) { return flatForm(value, server) }
	}
	envelope, err := read(body)
	if err != nil {
		return Registered{}, err
	}
	registered, err := readRegistration(envelope)
	if err != nil {
		return Registered{}, err
	}
	if registered.Handle.Server != server {
		return Registered{}, problem.WrongServer
	}
	if now.Sub(registered.CreatedAt).Abs() > registrationWindow {
		return Registered{}, problem.ClockSkew
	}
	return registered, nil
}

// Transferred is what a transfer says.
type Transferred struct {
	Handle   identity.Handle
	Old, New identity.Primary
	Rotate   string
}

var eventHashForm = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// CheckTransfer checks the body of a transfer, as far as that does not depend on what the server holds (KEZ-REG-120 to
// KEZ-REG-122).
func CheckTransfer(body any, server string, now time.Time) (Transferred, error) {
	if len(data.Canonical(body)) > maxTransferBytes {
		return Transferred{}, problem.TooLarge
	}
	outer := data.MembersOf(body, problem.EnvelopeMalformed)
	outer.Require(len(outer.Object) == 2 && outer.Object["transfer"] != nil && outer.Object["registration"] != nil)
	if outer.Err != nil {
		return Transferred{}, outer.Err
	}
	envelope, err := FromValue(outer.Object["transfer"])
	if err != nil {
		return Transferred{}, err
	}
	if err := envelope.Expect(Transfer); err != nil {
		return Transferred{}, err
	}
	m := data.MembersOf(envelope.Payload, problem.EnvelopeMalformed)
	handle := identity.Handle{Local: m.Text("handle", 0, data.Unbounded), Server: m.Text("server", 0, data.Unbounded)}
	old, next := identity.Account(m, "primary"), identity.Account(m, "new")
	rotate, newSig := m.Match("rotate", eventHashForm), m.Match("new_sig", signatureForm)
	createdAt := time.UnixMilli(m.Time("created_at"))
	if !identity.IsLocal(handle.Local) || !identity.IsServer(handle.Server) {
		m.Check(problem.HandleMalformed)
	}
	m.Require(old.Text != next.Text)
	if m.Err != nil {
		return Transferred{}, m.Err
	}
	if err := envelope.Verify(); err != nil {
		return Transferred{}, err
	}
	acceptance := only(envelope.Payload, "version", "handle", "server", "new", "rotate", "created_at")
	acceptance["type"], acceptance["old"] = "kez.handle_transfer_acceptance", old.Text
	if err := verify(next, acceptance, newSig); err != nil {
		return Transferred{}, err
	}
	statement, err := FromValue(outer.Object["registration"])
	if err != nil {
		return Transferred{}, err
	}
	registered, err := readRegistration(statement)
	if err != nil {
		return Transferred{}, err
	}
	if registered.Handle != handle || registered.Primary.Text != next.Text {
		return Transferred{}, problem.EnvelopeMalformed
	}
	if handle.Server != server {
		return Transferred{}, problem.WrongServer
	}
	for _, made := range []time.Time{createdAt, registered.CreatedAt} {
		if now.Sub(made).Abs() > registrationWindow {
			return Transferred{}, problem.ClockSkew
		}
	}
	return Transferred{handle, old, next, rotate}, nil
}

// Asked is what a client looked up: at a server, a local part, a primary or both.
type Asked struct{ Server, Handle, Primary string }

// VerifyRecord is the handle and primary to pin, of a record that holds up.
func VerifyRecord(value any, asked Asked) (Registered, error) {
	m := data.MembersOf(value, problem.RecordInvalid)
	handle, primary := m.Text("handle", 0, data.Unbounded), m.Text("primary", 0, data.Unbounded)
	m.Text("sigchain_url", 1, maxURLCharacters)
	m.Time("registered_at")
	endpoints := m.List("endpoints", 0, maxEndpoints)
	if m.Err != nil {
		return Registered{}, problem.RecordInvalid
	}
	envelope, err := FromValue(m.Object["registration"])
	if err != nil {
		return Registered{}, problem.RecordInvalid
	}
	registered, err := readRegistration(envelope)
	m.Require(err == nil)
	m.Require(registered.Handle.String() == handle && registered.Handle.Server == asked.Server)
	m.Require(registered.Primary.Text == primary)
	m.Require(asked.Handle == "" || asked.Handle == registered.Handle.Local)
	m.Require(asked.Primary == "" || asked.Primary == primary)
	for _, endpoint := range endpoints {
		object, err := readEndpoint(endpoint, registered.Primary, problem.RecordInvalid)
		m.Require(err == nil && object["protocol"] == "nats")
	}
	return registered, m.Err
}

// ReadDescription is a server's description, as far as it is defined.
func ReadDescription(value any) (data.Object, error) {
	m := data.MembersOf(value, problem.RecordInvalid)
	server, broker := m.Text("server", 1, data.Unbounded), m.Members("broker")
	m.Require(identity.IsServer(server))
	for name, schemes := range map[string][]string{"tcp": TCPSchemes, "websocket": WebSocketSchemes} {
		for _, item := range broker.List(name, 0, maxEndpoints) {
			text, _ := item.(string)
			broker.Require(len([]rune(text)) <= maxURLCharacters && isURL(text, schemes))
		}
	}
	m.Check(broker.Err)
	description := data.Object{
		"server":     server,
		"broker":     only(broker.Object, "tcp", "websocket"),
		"sig_server": URL(m, "sig_server", HTTPSchemes),
	}
	if m.Has("limits") {
		limits := m.Members("limits")
		for name := range limits.Object {
			m.Require(isInteger(limits.Object[name]))
		}
		description["limits"] = limits.Object
	}
	return description, m.Err
}

func isInteger(value any) bool {
	_, isOne := value.(int64)
	return isOne
}
