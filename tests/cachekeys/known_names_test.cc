#include <gtest/gtest.h>

#include "cachekeys/normalize.h"
#include "cachekeys/recipe.h"
#include "cachekeys/sent_request.h"

namespace weir::keys {
namespace {

TEST(KnownNames, OfTrackingParameters) {
  // Marketing's parameters are known, an app's own are not.
  for (const char* name :
       {"utm_source", "utm_campaign", "utm_x",        "gclid",   "gclsrc", "dclid",
        "gbraid",     "wbraid",       "fbclid",       "msclkid", "twclid", "ttclid",
        "li_fat_id",  "igshid",       "mc_cid",       "mc_eid",  "yclid",  "_ga",
        "_gl",        "srsltid",      "mtm_campaign", "ScCid",   "ysclid", "__hssc"}) {
    EXPECT_TRUE(is_tracking_parameter(name)) << name;
  }
  for (const char* name :
       {"", "utm", "page", "ref", "source", "id", "gclid2", "q", "_gab", "sig"}) {
    EXPECT_FALSE(is_tracking_parameter(name)) << name;
  }
}

TEST(KnownNames, OfHarmlessCookies) {
  // Analytics' cookies are known; nothing that looks like a session is taken for one.
  for (const char* name : {"_ga", "_ga_ABC123", "_gid", "_gat", "_gat_gtag_UA_1", "_gcl_au", "_fbp",
                           "_fbc", "_hjid", "_hjSessionUser_1", "_clck", "_clsk", "__utma",
                           "_pk_id.1.abc", "mp_abc_mixpanel", "_ym_uid", "AMCV_X%40AdobeOrg"}) {
    EXPECT_TRUE(is_harmless_cookie(name)) << name;
  }
  for (const char* name :
       {"", "_", "g", "_gallery_session", "_hjem-session", "ga", "sessionid", "theme", "_session",
        "csrftoken", "_fbpx", "__Host-id", "PHPSESSID", "_GA"}) {
    EXPECT_FALSE(is_harmless_cookie(name)) << name;
  }
}

TEST(KnownNames, OfPoisoningFields) {
  // Overrides are known in any case and in the spelling with '_'; the caller's own are not.
  for (const char* name :
       {"X-Original-URL", "x-rewrite-url", "X-HTTP-Method-Override", "X-Method-Override",
        "X-Forwarded-Prefix", "X-Forwarded-Scheme", "X-Forwarded-Server", "X-Forwarded-Port",
        "X-Host", "X-Original-Host", "X-Forwarded-Path", "X-Forwarded-Ssl", "Front-End-Https",
        "X-Url-Scheme", "X_Forwarded_Prefix", "X_Original-URL", "X-HTTP-Method"}) {
    EXPECT_TRUE(is_poisoning_field(name)) << name;
  }
  for (const char* name : {"", "Host", "X-Forwarded-For", "X-Forwarded-User", "X-Forwarded-Proto",
                           "X-Real-IP", "Accept", "X-Hosts"}) {
    EXPECT_FALSE(is_poisoning_field(name)) << name;
  }
}

TEST(KnownNames, OfFrameworkFields) {
  // The fields that frameworks forget to Vary on, patterns included.
  for (const char* name : {"HX-Request", "hx-boosted", "HX-Target", "Turbo-Frame", "X-PJAX",
                           "X-Inertia", "X-Inertia-Version", "X-Requested-With", "RSC", "rsc",
                           "Next-Router-State-Tree", "Next-Router-Prefetch"}) {
    EXPECT_TRUE(is_framework_field(name)) << name;
  }
  for (const char* name : {"", "H", "HX-Trigger", "X-Custom", "RSCX", "Next-Action", "Turbo"}) {
    EXPECT_FALSE(is_framework_field(name)) << name;
  }
}

}  // namespace
}  // namespace weir::keys
