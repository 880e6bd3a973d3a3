#include "proxy/policy/armor.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace weir::policy {
namespace {

// What a family of files may be called. Words between spaces: a type, a tree that ends in "/", a
// beginning that ends in "*", a suffix that begins with "+".
constexpr std::string_view kStyle = "text/css text/plain";
constexpr std::string_view kScript =
    "text/javascript application/javascript application/x-javascript text/ecmascript "
    "application/ecmascript text/plain";
constexpr std::string_view kJson =
    "application/json +json text/json text/plain application/vnd.* application/x-* "
    "text/javascript application/javascript";
constexpr std::string_view kImage = "image/ application/vnd.* application/x-photoshop";
constexpr std::string_view kVector = "image/ text/xml application/xml text/plain";
constexpr std::string_view kFont =
    "font/ application/font-* application/x-font-* application/vnd.ms-fontobject "
    "application/vnd.ms-opentype";
constexpr std::string_view kMedia =
    "audio/ video/ application/ogg application/mp4 application/vnd.* application/x-mpegurl "
    "application/dash+xml";
constexpr std::string_view kText = "text/plain text/vtt application/x-subrip";
constexpr std::string_view kTable =
    "text/csv text/plain text/tab-separated-values application/csv application/vnd.*";
constexpr std::string_view kXml =
    "text/xml application/xml application/rss+xml application/atom+xml application/rdf+xml "
    "application/vnd.* text/plain";
constexpr std::string_view kArchive =
    "application/zip application/gzip application/zstd application/java-archive application/vnd.* "
    "application/x-* application/msword application/rtf application/postscript "
    "application/epub+zip font/ image/";
constexpr std::string_view kPdf = "application/pdf application/x-pdf application/postscript";
constexpr std::string_view kWasm = "application/wasm";

struct Extension {
  std::string_view name;
  std::string_view types;
};

constexpr auto kExtensions = std::to_array<Extension>({
    {"7z", kArchive},   {"aac", kMedia},    {"apk", kArchive},      {"apng", kImage},
    {"atom", kXml},     {"avi", kMedia},    {"avif", kImage},       {"bin", kArchive},
    {"bmp", kImage},    {"br", kArchive},   {"bz2", kArchive},      {"cjs", kScript},
    {"css", kStyle},    {"csv", kTable},    {"cur", kImage},        {"deb", kArchive},
    {"dmg", kArchive},  {"doc", kArchive},  {"docx", kArchive},     {"eot", kFont},
    {"eps", kArchive},  {"epub", kArchive}, {"exe", kArchive},      {"flac", kMedia},
    {"flv", kMedia},    {"gif", kImage},    {"gz", kArchive},       {"heic", kImage},
    {"ico", kImage},    {"iso", kArchive},  {"jar", kArchive},      {"jpeg", kImage},
    {"jpg", kImage},    {"js", kScript},    {"json", kJson},        {"jxl", kImage},
    {"less", kStyle},   {"m3u8", kMedia},   {"m4a", kMedia},        {"m4v", kMedia},
    {"map", kJson},     {"mid", kMedia},    {"midi", kMedia},       {"mjs", kScript},
    {"mkv", kMedia},    {"mov", kMedia},    {"mp3", kMedia},        {"mp4", kMedia},
    {"mpd", kMedia},    {"mpeg", kMedia},   {"mpg", kMedia},        {"msi", kArchive},
    {"ods", kArchive},  {"odt", kArchive},  {"oga", kMedia},        {"ogg", kMedia},
    {"ogv", kMedia},    {"opus", kMedia},   {"otf", kFont},         {"pdf", kPdf},
    {"pkg", kArchive},  {"png", kImage},    {"ppt", kArchive},      {"pptx", kArchive},
    {"ps", kArchive},   {"psd", kImage},    {"rar", kArchive},      {"rss", kXml},
    {"rtf", kArchive},  {"srt", kText},     {"svg", kVector},       {"svgz", kVector},
    {"swf", kArchive},  {"tar", kArchive},  {"tgz", kArchive},      {"tif", kImage},
    {"tiff", kImage},   {"tsv", kTable},    {"ttc", kFont},         {"ttf", kFont},
    {"txt", kText},     {"vtt", kText},     {"wasm", kWasm},        {"wav", kMedia},
    {"weba", kMedia},   {"webm", kMedia},   {"webmanifest", kJson}, {"webp", kImage},
    {"wmv", kMedia},    {"woff", kFont},    {"woff2", kFont},       {"xls", kArchive},
    {"xlsx", kArchive}, {"xml", kXml},      {"xz", kArchive},       {"zip", kArchive},
    {"zst", kArchive},
});
constexpr bool by_name(const Extension& a, const Extension& b) {
  return a.name < b.name;
}
static_assert(std::is_sorted(kExtensions.begin(), kExtensions.end(), by_name));

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char low = ascii_lower(c);
  return low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

// The last segment, every escape decoded, in lower case.
std::string last_segment(std::string_view path) {
  while (path.ends_with('/')) path.remove_suffix(1);
  const std::string_view raw = path.substr(path.rfind('/') + 1);
  std::string out;
  for (std::size_t i = 0; i < raw.size(); ++i) {
    const int high = raw[i] == '%' && i + 2 < raw.size() ? hex_digit(raw[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(raw[i + 2]);
    if (low < 0) {
      out += ascii_lower(raw[i]);
    } else {
      out += ascii_lower(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
         c == '~' || static_cast<unsigned char>(c) >= 0x80;
}

bool names_type(std::string_view types, std::string_view type) {
  while (!types.empty()) {
    const std::size_t space = std::min(types.find(' '), types.size());
    std::string_view word = types.substr(0, space);
    types.remove_prefix(std::min(space + 1, types.size()));
    if (word.starts_with('+') && type.ends_with(word)) return true;
    const bool beginning = word.ends_with('*') || word.ends_with('/');
    if (word.ends_with('*')) word.remove_suffix(1);
    if (beginning ? type.starts_with(word) : type == word) return true;
  }
  return false;
}

bool is_generic(std::string_view type) {
  return type == "application/octet-stream" || type == "binary/octet-stream";
}

// The extension at the end of a file name that `type` contradicts.
std::string_view contradicted_by(std::string_view file_name, std::string_view type) {
  const std::size_t dot = file_name.rfind('.');
  if (dot == std::string_view::npos) return {};
  const Extension wanted{file_name.substr(dot + 1), {}};
  const auto found = std::lower_bound(kExtensions.begin(), kExtensions.end(), wanted, by_name);
  if (found == kExtensions.end() || found->name != wanted.name) return {};
  return names_type(found->types, type) ? std::string_view{} : found->name;
}

}  // namespace

std::string_view contradicted_extension(std::string_view path, std::string_view content_type) {
  const std::string type = to_lower(trim_ows(content_type.substr(0, content_type.find(';'))));
  if (type.empty() || is_generic(type)) return {};
  const std::string segment = last_segment(path);
  const std::string_view text(segment);
  for (std::size_t start = 0; start < text.size(); ++start) {
    std::size_t end = start;
    while (end < text.size() && is_name_char(text[end])) ++end;
    const std::string_view bad = contradicted_by(text.substr(start, end - start), type);
    if (!bad.empty()) return bad;
    start = end;
  }
  return {};
}

}  // namespace weir::policy
