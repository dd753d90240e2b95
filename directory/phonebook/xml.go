package phonebook

import (
	"encoding/xml"
	"net/url"
)

// Cisco IP phones read a CiscoIPPhoneDirectory of at most 32 lines (Cisco IP Phone
// Services Application Development Notes, "XML Object Definitions").

// CiscoLines is how many lines a page has.
const CiscoLines = 32

type ciscoEntry struct {
	Name      string `xml:"Name"`
	Telephone string `xml:"Telephone"`
}

type softKey struct {
	Name     string `xml:"Name"`
	URL      string `xml:"URL"`
	Position int    `xml:"Position"`
}

type ciscoDirectory struct {
	XMLName xml.Name     `xml:"CiscoIPPhoneDirectory"`
	Title   string       `xml:"Title"`
	Prompt  string       `xml:"Prompt"`
	Entries []ciscoEntry `xml:"DirectoryEntry"`
	Keys    []softKey    `xml:"SoftKeyItem"`
}

type ciscoInput struct {
	XMLName xml.Name  `xml:"CiscoIPPhoneInput"`
	Title   string    `xml:"Title"`
	Prompt  string    `xml:"Prompt"`
	URL     string    `xml:"URL"`
	Item    ciscoItem `xml:"InputItem"`
}

type ciscoItem struct {
	DisplayName string `xml:"DisplayName"`
	Query       string `xml:"QueryStringParam"`
	Default     string `xml:"DefaultValue"`
	Flags       string `xml:"InputFlags"`
}

// words are what phones show, by language.
var words = map[string]struct{ title, choose, all, found, none, search, name, dial, next, exit string }{
	"vi": {"Danh bạ", "Chọn mục", "Tất cả", "Chọn nơi cần gọi", "Không tìm thấy", "Tìm", "Tên", "Gọi", "Tiếp", "Thoát"},
	"en": {"Directory", "Select an item", "All", "Select whom to call", "Nothing found", "Search", "Name", "Dial", "Next", "Exit"},
}

type ciscoMenu struct {
	XMLName xml.Name        `xml:"CiscoIPPhoneMenu"`
	Title   string          `xml:"Title"`
	Prompt  string          `xml:"Prompt"`
	Items   []ciscoMenuItem `xml:"MenuItem"`
}

type ciscoMenuItem struct {
	Name string `xml:"Name"`
	URL  string `xml:"URL"`
}

// CiscoMenu leads to the whole book and to the search. book is the address of its pages.
func CiscoMenu(book url.URL, language string) ([]byte, error) {
	w := words[language]
	book.RawQuery = url.Values{"lang": {language}}.Encode()
	return document(ciscoMenu{Title: w.title, Prompt: w.choose, Items: []ciscoMenuItem{
		{w.all, book.String()}, {w.search, with(book, "search", "1")},
	}})
}

// Cisco is a page of the book. at is its own address, whose query names the words
// searched for.
func Cisco(lines []Line, next string, at url.URL, language string) ([]byte, error) {
	w := words[language]
	d := ciscoDirectory{Title: w.title, Prompt: w.found}
	if len(lines) == 0 {
		d.Prompt = w.none
	}
	for _, l := range lines {
		d.Entries = append(d.Entries, ciscoEntry{short(l.Name), l.Dial()})
	}
	d.Keys = []softKey{{w.dial, "SoftKey:Dial", 1}, {w.exit, "SoftKey:Exit", 3}, {w.search, with(at, "search", "1"), 4}}
	if next != "" {
		d.Keys = append(d.Keys, softKey{w.next, with(at, "cursor", next), 2})
	}
	return document(d)
}

// CiscoSearch asks for words to search for; the phone adds them to the address as q.
func CiscoSearch(at url.URL, language string) ([]byte, error) {
	w := words[language]
	at.RawQuery = url.Values{"lang": {language}}.Encode()
	in := ciscoInput{Title: w.search, Prompt: w.name, URL: at.String(), Item: ciscoItem{DisplayName: w.name, Query: "q", Flags: "A"}}
	return document(in)
}

// with is an address with one more word in its query.
func with(at url.URL, key, value string) string {
	q := at.Query()
	q.Set(key, value)
	at.RawQuery = q.Encode()
	return at.String()
}

// short cuts a name to what phones show.
func short(name string) string {
	if runes := []rune(name); len(runes) > 64 {
		return string(runes[:63]) + "…"
	}
	return name
}

type yealinkEntry struct {
	Name    string   `xml:"Name"`
	Numbers []string `xml:"Telephone"`
}

// Yealink is the whole of a remote phone book (Yealink Administrator Guide, "Remote Phone
// Book"): names with up to three numbers.
func Yealink(lines []Line) ([]byte, error) {
	d := struct {
		XMLName xml.Name       `xml:"YealinkIPPhoneDirectory"`
		Entries []yealinkEntry `xml:"DirectoryEntry"`
	}{}
	for _, l := range lines {
		e := yealinkEntry{Name: l.Name}
		for _, list := range [][]string{l.Numbers, l.SIP, l.H323} {
			e.Numbers = append(e.Numbers, list...)
		}
		e.Numbers = e.Numbers[:min(len(e.Numbers), 3)]
		d.Entries = append(d.Entries, e)
	}
	return document(d)
}

func document(v any) ([]byte, error) {
	text, err := xml.MarshalIndent(v, "", " ")
	return append([]byte(xml.Header), text...), err
}
