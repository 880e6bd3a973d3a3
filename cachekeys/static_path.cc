#include "cachekeys/static_path.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir::keys {
namespace {

// Sorted, for binary search.
constexpr std::string_view kExtensions[] = {
    "7z",   "aac",  "apng", "avi",         "avif", "bmp", "br",   "bz2",   "cjs", "css",  "cur",
    "dmg",  "eot",  "exe",  "flac",        "flv",  "gif", "gz",   "heic",  "ico", "jpeg", "jpg",
    "js",   "jxl",  "m4a",  "m4v",         "map",  "mid", "mjs",  "mkv",   "mov", "mp3",  "mp4",
    "mpeg", "mpg",  "msi",  "oga",         "ogg",  "ogv", "opus", "otf",   "pdf", "png",  "rar",
    "svg",  "svgz", "swf",  "tar",         "tgz",  "tif", "tiff", "ttc",   "ttf", "vtt",  "wasm",
    "wav",  "weba", "webm", "webmanifest", "webp", "wmv", "woff", "woff2", "xz",  "zip",  "zst",
};
static_assert(std::ranges::is_sorted(kExtensions));

constexpr std::size_t kLongest = std::ranges::max(kExtensions, {}, &std::string_view::size).size();

}  // namespace

bool ends_like_static_file(std::string_view path) {
  const std::size_t at = path.find_last_of("./");
  if (at == path.npos || path[at] == '/') return false;
  const std::string_view extension = path.substr(at + 1);
  if (extension.empty() || extension.size() > kLongest) return false;
  std::array<char, kLongest> lower;
  std::ranges::transform(extension, lower.begin(), ascii_lower);
  return std::ranges::binary_search(kExtensions, std::string_view(lower.data(), extension.size()));
}

}  // namespace weir::keys
