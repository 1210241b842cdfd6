package event

import "fmt"

// Size formats a number of bytes for users, in the largest unit that is not larger: "512 B", "1.5 kB", "24 MB". A kB has
// 1000 bytes, as in the output of docker. All sizes that lab prints are in this form.
func Size(bytes int64) string {
	size, unit := float64(bytes), 0
	units := []string{"B", "kB", "MB", "GB", "TB"}
	for size >= 999.5 && unit < len(units)-1 {
		size, unit = size/1000, unit+1
	}
	if unit == 0 || size >= 9.95 {
		return fmt.Sprintf("%.0f %s", size, units[unit])
	}
	return fmt.Sprintf("%.1f %s", size, units[unit])
}
