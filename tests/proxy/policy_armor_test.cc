#include <gtest/gtest.h>

#include "proxy/policy/armor.h"

namespace weir::policy {
namespace {

struct ArmorCase {
  const char* path;
  const char* type;
  const char* extension;  // that the type contradicts
};

TEST(PolicyArmor, FindsTheExtensionUnderEveryDisguise) {
  // hardening: path confusion by segment, parameter, escaped delimiter, NUL, or upper case.
  const ArmorCase cases[] = {
      {"/account/x.css", "text/html", "css"},
      {"/account/x.CSS", "text/html; charset=utf-8", "css"},
      {"/account;x.css", "text/html", "css"},
      {"/account;x.css;v=1", "text/html", "css"},
      {"/x.js;jsessionid=1", "text/html", "js"},
      {"/account%2fx.css", "text/html", "css"},
      {"/x.css%2f..%2faccount", "text/html", "css"},
      {"/account%00.css", "text/html", "css"},
      {"/account.css%00", "text/html", "css"},
      {"/account%23x.css", "text/html", "css"},
      {"/x.css%23account", "text/html", "css"},
      {"/account%3fx.png", "text/html", "png"},
      {"/account%0ax.png", "text/html", "png"},
      {"/account%5Cx.png", "text/html", "png"},
      {"/account/x.%63ss", "text/html", "css"},
      {"/account/.css", "text/html", "css"},
      {"/account/x.css/", "text/html", "css"},
      {"/account/x.css,y", "text/html", "css"},
      {"/account/x.js", "application/json", "js"},
      {"/account/x.svg", "text/html", "svg"},
      {"/account/x.json", "text/html", "json"},
      {"/account/x.woff2", "text/plain", "woff2"},
      {"/account/x.zip", "application/json", "zip"},
      {"/account/x.xml", "application/xhtml+xml", "xml"},
  };
  for (const ArmorCase& c : cases) {
    EXPECT_EQ(contradicted_extension(c.path, c.type), c.extension) << c.path;
  }
}

TEST(PolicyArmor, LetsFilesAndPagesBe) {
  // Honest types, generic or absent ones, and paths that do not look like files.
  const ArmorCase cases[] = {
      {"/a.css", "text/css", ""},
      {"/a.css", "Text/CSS; charset=utf-8", ""},
      {"/a.js", "application/javascript", ""},
      {"/a.mjs", "text/javascript", ""},
      {"/a.png", "image/webp", ""},
      {"/a.svg", "image/svg+xml", ""},
      {"/a.woff2", "application/font-woff2", ""},
      {"/a.woff", "font/woff", ""},
      {"/a.map", "application/json", ""},
      {"/a.json", "application/vnd.api+json", ""},
      {"/site.webmanifest", "application/manifest+json", ""},
      {"/a.mp4", "video/mp4", ""},
      {"/a.pdf", "application/pdf", ""},
      {"/a.zip", "application/x-zip-compressed", ""},
      {"/a.tar.gz", "application/gzip", ""},
      {"/sitemap.xml", "text/xml", ""},
      {"/robots.txt", "text/plain", ""},
      {"/a.css", "application/octet-stream", ""},
      {"/a.css", "", ""},
      {"/page", "text/html", ""},
      {"/page.html", "text/html", ""},
      {"/index.php", "text/html", ""},
      {"/a.css/page", "text/html", ""},
      {"/a.css.html", "text/html", ""},
      {"/a.cssx", "text/html", ""},
      {"/css", "text/html", ""},
      {"/", "text/html", ""},
      {"", "text/html", ""},
      {"/100%", "text/html", ""},
  };
  for (const ArmorCase& c : cases) {
    EXPECT_EQ(contradicted_extension(c.path, c.type), c.extension) << c.path << " " << c.type;
  }
}

}  // namespace
}  // namespace weir::policy
