package statements

import (
	"kez-shim/data"
	"kez-shim/identity"
	"kez-shim/problem"
)

// ClaimOf is what a claim says; times are in milliseconds since 1970.
type ClaimOf struct {
	Subject, Primary string
	CreatedAt        int64
	// ExpiresAt is nil where the claim does not end.
	ExpiresAt *int64
}

// ReadClaim verifies a claim. Whether it has expired is not asked.
func ReadClaim(envelope *Envelope) (ClaimOf, error) {
	if err := envelope.Expect(Claim); err != nil {
		return ClaimOf{}, err
	}
	if err := envelope.Verify(); err != nil {
		return ClaimOf{}, err
	}
	m := data.MembersOf(envelope.Payload, problem.EnvelopeMalformed)
	claim := ClaimOf{Subject: m.Text("subject", 0, data.Unbounded), Primary: envelope.Signer.Text}
	if m.Err == nil {
		_, err := identity.ParseIdentifier(claim.Subject)
		m.Check(err)
	}
	claim.CreatedAt = m.Time("created_at")
	if m.Has("expires_at") {
		expiresAt := m.Time("expires_at")
		m.Require(expiresAt > claim.CreatedAt)
		claim.ExpiresAt = &expiresAt
	}
	return claim, m.Err
}
