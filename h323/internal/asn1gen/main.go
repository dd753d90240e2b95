// Command asn1gen writes the Go types of H.225.0, H.245 and H.235 from their ASN.1
// modules. The modules are the ITU's and not part of this repository: they can be
// taken from https://www.itu.int/ITU-T/formal-language, then
//
//	go run ./h323/internal/asn1gen -asn1 DIRECTORY -out h323
//
// or, with ASN1 naming an absolute directory, go generate ./h323/per.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

func main() {
	asn1 := flag.String("asn1", "", "directory with the ASN.1 modules (*.asn)")
	out := flag.String("out", "h323", "directory above the packages")
	flag.Parse()
	if err := generate(*asn1, *out); err != nil {
		fmt.Fprintln(os.Stderr, "asn1gen:", err)
		os.Exit(1)
	}
}

func generate(from, to string) error {
	modules, err := readModules(from)
	if err != nil {
		return err
	}
	for _, h := range homes {
		m := modules[h.module]
		if m == nil {
			return fmt.Errorf("no module %s in %s", h.module, from)
		}
		w := &writer{home: h, module: m, all: modules}
		types, err := w.source()
		if err != nil {
			return err
		}
		index, err := w.index()
		if err != nil {
			return err
		}
		for name, text := range map[string][]byte{"zz_types.go": types, "zz_types_test.go": index} {
			if err := os.WriteFile(filepath.Join(to, h.pkg, name), text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// misprints are what the published modules get wrong. In H262VideoCapability of H.245
// a lost line break hides the extension marker in a comment: other decoders of
// H.245, and its older editions, have it.
var misprints = strings.NewReplacer("-- units samples/s	...,", "-- units samples/s\n	...,")

func readModules(dir string) (map[string]*module, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.asn"))
	if err != nil {
		return nil, err
	}
	modules := map[string]*module{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		m, err := parseModule(misprints.Replace(string(text)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		modules[m.name] = m
	}
	return modules, nil
}
