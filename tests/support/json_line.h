// One line of JSON that must be a flat object of strings, numbers, booleans and nulls: what a line
// of the access log is. Independent of any library on purpose.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace weir::test {

// Values as text: strings decoded, everything else as it stands. Throws on anything that RFC 8259
// would not accept (a raw control byte, bad UTF-8, a bad escape), on a repeated name, on nesting.
std::map<std::string, std::string> parse_json_line(std::string_view line);

}  // namespace weir::test
