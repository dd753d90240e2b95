package number

import "strings"

// Stars stand for the digits that are not shown.
const stars = "*****"

// shownDigits are left at either end of a masked number.
const shownDigits = 3

// Mask hides the middle of every telephone number in a text: +84912345321 is shown as
// +84*****321. Runs of fewer than seven digits, such as aliases of rooms, stay.
func Mask(text string) string {
	var b strings.Builder
	for at := 0; at < len(text); {
		end, digits := run(text[at:])
		if digits < 7 {
			step := max(end, 1)
			b.WriteString(text[at : at+step])
			at += step
			continue
		}
		b.WriteString(hidden(text[at : at+end]))
		at += end
	}
	return b.String()
}

// run is the length of what may be a number at the beginning of a text: digits with
// the signs that people write between them.
func run(text string) (end, digits int) {
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case '0' <= c && c <= '9':
			digits++
			end = i + 1
		case c == '+' && i == 0:
		case strings.IndexByte(" -()", c) >= 0 && digits > 0:
		case c == '(' && i <= 1:
		default:
			return end, digits
		}
	}
	return end, digits
}

// hidden masks one number.
func hidden(text string) string {
	var digits []byte
	for i := range len(text) {
		if '0' <= text[i] && text[i] <= '9' {
			digits = append(digits, text[i])
		}
	}
	plus := ""
	head := shownDigits
	if text[0] == '+' {
		plus, head = "+", shownDigits-1
	}
	return plus + string(digits[:head]) + stars + string(digits[len(digits)-shownDigits:])
}
