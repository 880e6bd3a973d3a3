// The man page: what the commands declare, and what is to be said of the program as a whole.
#include <fmt/format.h>

#include "conf/cli_describe.h"

namespace weir::conf {
namespace {

constexpr std::string_view kHead =
    ".\\\" Printed by `weir help --man`.\n"
    ".TH WEIR 1 \"\" \"Weir\" \"User Commands\"\n"
    ".SH NAME\n"
    "weir \\- a caching reverse proxy that stands in front of a web app\n";

constexpr std::string_view kDescription =
    ".SH DESCRIPTION\n"
    "Weir stands in front of an app as a reverse proxy and keeps its answers in memory and, where\n"
    "the configuration says so, on disk.\n"
    "For each request it derives a cache key by the rules of the route that matches.\n"
    "If an answer is stored under that key, it serves it; if not, it asks the app, once, however\n"
    "many visitors wait for the same page.\n"
    ".PP\n"
    "What the key leaves out of the query, cookies, languages and headers that apps answer by "
    "does\n"
    "not reach the app, so that no shared answer can depend on it.\n"
    "Every answer says in its Cache\\-Status field what happened; \\(lqweir explain\\(rq says "
    "why.\n";

constexpr std::string_view kTail =
    ".SH ENVIRONMENT\n"
    ".TP\n"
    ".BR WEIR_UPSTREAM , \" WEIR_LISTEN\" , \" WEIR_ADMIN\"\n"
    "stand for the flags of these names; flags win over them, they win over the file.\n"
    ".TP\n"
    ".BR WEIR_ADMIN_TOKEN , \" WEIR_ADMIN_TOKEN_FILE\"\n"
    "the token of the admin address, or the file whose first line it is.\n"
    ".TP\n"
    ".B WEIR_LOG\n"
    "how much of its own doings it logs: debug, info, warn or error.\n"
    ".SH FILES\n"
    ".TP\n"
    ".IR ./weir.yaml , \" /etc/weir/weir.yaml\"\n"
    "the configuration, where none is named.\n"
    ".SH SIGNALS\n"
    "SIGTERM drains: no more clients are taken, requests in flight finish, then it ends.\n"
    "SIGINT does the same without drain_delay; a second signal ends it at once.\n"
    "SIGHUP reads the configuration again, and keeps the old one where the new one is wrong.\n"
    "SIGUSR1 opens the access log anew.\n"
    ".SH EXIT STATUS\n"
    "0 for success, 1 for failure, 2 for wrong usage or a bad configuration.\n"
    ".SH SEE ALSO\n"
    "RFC 9111 (HTTP Caching), RFC 9211 (The Cache\\-Status HTTP Response Header Field)\n";

// Text of a line: nothing in it is a request or an escape.
std::string escaped(std::string_view text) {
  std::string out;
  if (text.starts_with('.') || text.starts_with('\'')) out = "\\&";
  for (const char c : text) {
    switch (c) {
      case '\\':
        out += "\\e";
        break;
      case '-':
        out += "\\-";
        break;
      case '\'':
        out += "\\(aq";
        break;
      case '"':
        out += "\\(dq";
        break;
      case '^':
        out += "\\(ha";
        break;
      case '~':
        out += "\\(ti";
        break;
      default:
        out += c;
    }
  }
  return out;
}

template <class Visit>
void for_each_line(std::string_view text, Visit&& visit) {
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    visit(text.substr(0, end));
    if (end == text.npos) return;
    text.remove_prefix(end + 1);
  }
}

// Paragraphs; lines that are indented stand as they are.
void append_prose(std::string_view text, std::string& out) {
  bool as_is = false;
  for_each_line(text, [&](std::string_view line) {
    const bool indented = line.starts_with("  ");
    if (indented != as_is) out += indented ? ".RS 4\n.nf\n" : ".fi\n.RE\n";
    as_is = indented;
    if (line.empty()) {
      out += ".PP\n";
    } else {
      out += escaped(indented ? line.substr(2) : line) + "\n";
    }
  });
  if (as_is) out += ".fi\n.RE\n";
}

void append_option(const OptionText& option, std::string& out) {
  out += ".TP\n";
  std::string names;
  for (const std::string& name : option.names) {
    const std::string shown = option.positional ? option.value : name;
    names += (names.empty() ? "" : ", ") + fmt::format("\\fB{}\\fR", escaped(shown));
  }
  if (!option.positional && !option.value.empty()) {
    names += fmt::format(" \\fI{}\\fR", escaped(option.value));
  }
  out += names + "\n" + escaped(option.text) + "\n";
}

void append_command(const CommandText& command, std::string& out) {
  out += fmt::format(".SS \"weir {}\"\n{}\n", command.name, escaped(command.about));
  for (const OptionText& option : command.options) append_option(option, out);
  if (!command.footer.empty()) out += ".PP\n";
  append_prose(command.footer, out);
}

}  // namespace

std::string man_page(const std::vector<CommandText>& commands) {
  std::string out(kHead);
  out += ".SH SYNOPSIS\n";
  bool first = true;
  for (const CommandText& command : commands) {
    if (!first) out += ".br\n";
    out += fmt::format("\\fBweir\\fR {} {}\n", first ? "[run]" : escaped(command.name),
                       escaped(command.arguments));
    if (out.ends_with(" \n")) out.erase(out.size() - 2, 1);
    first = false;
  }
  out += kDescription;
  out += ".SH COMMANDS\n";
  for (const CommandText& command : commands) append_command(command, out);
  out += kTail;
  return out;
}

}  // namespace weir::conf
