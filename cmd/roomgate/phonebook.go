package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"golang.org/x/sync/errgroup"

	"github.com/roomgate/roomgate/config"
	"github.com/roomgate/roomgate/directory/phonebook"
	"github.com/roomgate/roomgate/directory/phonebook/ldap"
)

// ldapListener is one address that the phone book is read at.
type ldapListener struct {
	net.Listener
	encrypted bool // TLS from the beginning
}

// phoneBook is what phones and terminals read.
type phoneBook struct {
	book      *phonebook.Book
	server    *ldap.Server
	listeners []ldapListener
}

// listenPhoneBook binds where the phone book is read by LDAP.
func (n *node) listenPhoneBook(c *config.Config) error {
	book := phonebook.New(phonebook.Config{Directory: n.directory, Domain: hostDomain(c), Open: n.openPhoneBooks})
	n.phoneBook = phoneBook{book: book, server: ldap.New(ldap.Config{
		Book: book, Base: c.PhoneBook.Base, Log: n.log.Named("ldap"),
		TLS:     &tls.Config{GetCertificate: n.webTLS.Get, MinVersion: tls.VersionTLS12},
		NeedTLS: n.phoneBookTLS,
	})}
	bind := func(key string, addresses config.Addresses, encrypted bool) error {
		for _, a := range addresses {
			l, err := net.Listen("tcp", a)
			if err != nil {
				return fmt.Errorf("%s: %w", key, err)
			}
			n.phoneBook.listeners = append(n.phoneBook.listeners, ldapListener{l, encrypted})
		}
		return nil
	}
	return errors.Join(bind("phonebook.ldap", c.PhoneBook.LDAP, false), bind("phonebook.ldaps", c.PhoneBook.LDAPS, true))
}

// hostDomain is what stands behind names of SIP in the phone book.
func hostDomain(c *config.Config) string {
	if c.SIP.Domain != "" {
		return c.SIP.Domain
	}
	return hostAddress(c)
}

func (n *node) phoneBookTLS() bool { return n.live.Current().PhoneBook.RequireTLS }

func (n *node) openPhoneBooks() []phonebook.Open {
	var list []phonebook.Open
	for _, o := range n.live.Current().PhoneBook.Open {
		list = append(list, phonebook.Open(o))
	}
	return list
}

// serve answers until ctx ends.
func (p *phoneBook) serve(ctx context.Context) error {
	var group errgroup.Group
	for _, l := range p.listeners {
		group.Go(func() error {
			if err := p.server.Serve(ctx, l, l.encrypted); err != nil {
				return fmt.Errorf("phone book: %w", err)
			}
			return nil
		})
	}
	return group.Wait()
}

// close gives the addresses back, of a node that never ran.
func (p *phoneBook) close() {
	for _, l := range p.listeners {
		_ = l.Close()
	}
}
