package api

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/roomgate/roomgate/directory"
)

// APIKeyRequest is the body that makes an API key.
type APIKeyRequest struct {
	Name      string     `json:"name" minLength:"1" maxLength:"100"`
	Scopes    []string   `json:"scopes" minItems:"1" maxItems:"6" enum:"admin,read,directory,plan,meetings,calls" nullable:"false"`
	Agency    string     `json:"agency,omitempty" maxLength:"100" doc:"The key sees and changes what is of this agency, and nothing else."`
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
}

// APIKey is a key without its secret.
type APIKey struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes" nullable:"false"`
	Agency    string     `json:"agency"`
	ExpiresAt *time.Time `json:"expires_at"`
	CreatedAt time.Time  `json:"created_at"`
}

// NewAPIKey is a key that was just made.
type NewAPIKey struct {
	APIKey
	Key string `json:"key" doc:"Shown this once; its hash is kept."`
}

func keyView(k directory.Key) APIKey {
	v := APIKey{ID: k.ID, Name: k.Name, Scopes: []string{}, Agency: k.Agency, ExpiresAt: moment(k.Expires), CreatedAt: k.Created}
	for _, s := range k.Scopes {
		v.Scopes = append(v.Scopes, string(s))
	}
	return v
}

type keyList struct {
	Body struct {
		Keys []APIKey `json:"api_keys" nullable:"false"`
	}
}

func (a *API) apiKeys() {
	const tag = "Keys"
	post := operation("create-api-key", http.MethodPost, "/api-keys", "Make an API key", tag, http.StatusForbidden, http.StatusUnprocessableEntity)
	post.DefaultStatus = http.StatusCreated
	huma.Register(a.huma, post, func(ctx context.Context, in *struct{ Body APIKeyRequest }) (*struct{ Body NewAPIKey }, error) {
		secret := NewKey()
		k := directory.Key{Name: in.Body.Name, Hash: directory.HashKey(secret), Agency: in.Body.Agency}
		for _, s := range in.Body.Scopes {
			k.Scopes = append(k.Scopes, directory.Scope(s))
		}
		if in.Body.ExpiresAt != nil {
			k.Expires = *in.Body.ExpiresAt
		}
		k, err := a.Directory.SaveKey(ctx, k)
		if err != nil {
			return nil, a.directoryProblem(err)
		}
		return &struct{ Body NewAPIKey }{NewAPIKey{keyView(k), secret}}, nil
	})
	huma.Register(a.huma, operation("list-api-keys", http.MethodGet, "/api-keys", "List API keys, by name", tag, http.StatusForbidden),
		func(context.Context, *struct{}) (*keyList, error) {
			out := &keyList{}
			out.Body.Keys = views(a.Directory.APIKeys(), keyView)
			return out, nil
		})
	huma.Register(a.huma, operation("delete-api-key", http.MethodDelete, "/api-keys/{id}", "Make an API key useless", tag, http.StatusForbidden, http.StatusNotFound),
		func(ctx context.Context, in *ItemPath) (*struct{}, error) {
			if err := a.Directory.DeleteKey(ctx, in.ID); err != nil {
				return nil, a.directoryProblem(err)
			}
			return nil, nil
		})
}
