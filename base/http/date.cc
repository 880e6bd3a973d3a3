#include "base/http/date.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "base/text.h"

namespace weir::http {
namespace {

constexpr std::array<std::string_view, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::int64_t kDay_s = 86400;
// 9999-12-31 23:59:59: the last second that four digits of year can name.
constexpr std::int64_t kLast_s = 253402300799;

void append_digits(std::string& out, unsigned value, unsigned width) {
  for (unsigned unit = width == 4 ? 1000 : 10; unit > 0; unit /= 10) {
    out += static_cast<char>('0' + value / unit % 10);
  }
}

// Takes a date apart from its front; once something does not fit it stays failed.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : rest_(text) {}

  void literal(std::string_view expected) {
    if (starts_with_ignore_case(rest_, expected)) {
      rest_.remove_prefix(expected.size());
    } else {
      failed_ = true;
    }
  }
  template <std::size_t N>
  unsigned name(const std::array<std::string_view, N>& names) {
    for (unsigned i = 0; i < N; ++i) {
      if (!starts_with_ignore_case(rest_, names[i])) continue;
      rest_.remove_prefix(names[i].size());
      return i;
    }
    failed_ = true;
    return 0;
  }
  unsigned digits(std::size_t count) {
    const auto value = parse_decimal(rest_.substr(0, count));
    if (!value || rest_.size() < count) {
      failed_ = true;
      return 0;
    }
    rest_.remove_prefix(count);
    return static_cast<unsigned>(*value);
  }
  // asctime's day: two digits, or SP and one.
  unsigned padded_day() {
    if (!rest_.starts_with(' ')) return digits(2);
    literal(" ");
    return digits(1);
  }
  std::int64_t time_of_day() {
    const unsigned hour = digits(2);
    literal(":");
    const unsigned minute = digits(2);
    literal(":");
    const unsigned second = digits(2);
    // 60 is a leap second.
    if (hour > 23 || minute > 59 || second > 60) failed_ = true;
    return std::int64_t{hour} * 3600 + minute * 60 + second;
  }
  bool finished() const { return !failed_ && rest_.empty(); }

 private:
  std::string_view rest_;
  bool failed_ = false;
};

std::optional<std::int64_t> to_unix(bool well_formed, unsigned year, unsigned month, unsigned day,
                                    std::int64_t time) {
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(year)},
                                         std::chrono::month{month + 1}, std::chrono::day{day}};
  if (!well_formed || !date.ok()) return std::nullopt;
  return std::int64_t{std::chrono::sys_days{date}.time_since_epoch().count()} * kDay_s + time;
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
std::optional<std::int64_t> parse_fixdate(std::string_view text) {
  DateReader reader(text);
  reader.name(kDays);
  reader.literal(", ");
  const unsigned day = reader.digits(2);
  reader.literal(" ");
  const unsigned month = reader.name(kMonths);
  reader.literal(" ");
  const unsigned year = reader.digits(4);
  reader.literal(" ");
  const std::int64_t time = reader.time_of_day();
  reader.literal(" GMT");
  return to_unix(reader.finished(), year, month, day, time);
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
std::optional<std::int64_t> parse_rfc850(std::string_view text, std::int64_t now_s) {
  DateReader reader(text);
  reader.name(kLongDays);
  reader.literal(", ");
  const unsigned day = reader.digits(2);
  reader.literal("-");
  const unsigned month = reader.name(kMonths);
  reader.literal("-");
  const unsigned short_year = reader.digits(2);
  reader.literal(" ");
  const std::int64_t time = reader.time_of_day();
  reader.literal(" GMT");

  using std::chrono::floor;
  const std::chrono::year_month_day now{
      floor<std::chrono::days>(std::chrono::sys_seconds{std::chrono::seconds{now_s}})};
  const int this_year = static_cast<int>(now.year());
  int year = this_year - this_year % 100 + static_cast<int>(short_year);
  if (year > this_year + 50) year -= 100;
  if (year <= this_year - 50) year += 100;
  return to_unix(reader.finished(), static_cast<unsigned>(year), month, day, time);
}

// "Sun Nov  6 08:49:37 1994"
std::optional<std::int64_t> parse_asctime(std::string_view text) {
  DateReader reader(text);
  reader.name(kDays);
  reader.literal(" ");
  const unsigned month = reader.name(kMonths);
  reader.literal(" ");
  const unsigned day = reader.padded_day();
  reader.literal(" ");
  const std::int64_t time = reader.time_of_day();
  reader.literal(" ");
  const unsigned year = reader.digits(4);
  return to_unix(reader.finished(), year, month, day, time);
}

std::string write_date(std::int64_t unix_s) {
  unix_s = std::clamp<std::int64_t>(unix_s, 0, kLast_s);
  const std::int64_t days = unix_s / kDay_s;
  const auto time = static_cast<unsigned>(unix_s % kDay_s);
  const std::chrono::sys_days day{std::chrono::days{days}};
  const std::chrono::year_month_day date{day};
  std::string out;
  out.reserve(29);
  out += kDays[std::chrono::weekday{day}.c_encoding()];
  out += ", ";
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out += ' ';
  out += kMonths[static_cast<unsigned>(date.month()) - 1];
  out += ' ';
  append_digits(out, static_cast<unsigned>(static_cast<int>(date.year())), 4);
  out += ' ';
  append_digits(out, time / 3600, 2);
  out += ':';
  append_digits(out, time / 60 % 60, 2);
  out += ':';
  append_digits(out, time % 60, 2);
  out += " GMT";
  return out;
}

}  // namespace

// Nearly all are asked for the present second, many times over.
std::string format_date(std::int64_t unix_s) {
  thread_local std::int64_t last_s = 0;
  thread_local std::string last = write_date(0);
  if (unix_s != last_s) {
    last = write_date(unix_s);
    last_s = unix_s;
  }
  return last;
}

std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now_s) {
  const std::size_t comma = text.find(',');
  if (comma == 3) return parse_fixdate(text);
  if (comma != std::string_view::npos) return parse_rfc850(text, now_s);
  return parse_asctime(text);
}

}  // namespace weir::http
