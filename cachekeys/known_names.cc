// The built-in lists of names: what marketing and analytics scripts add to URLs and cookies, and
// what frameworks and attackers put in header fields. Each name is here because no app reads it
// to make a page (tracking, analytics), or because apps read it and forget to Vary (framework).
#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "cachekeys/normalize.h"
#include "cachekeys/recipe.h"
#include "cachekeys/sent_request.h"

namespace weir::keys {
namespace {

// Sorted, for binary search. Affiliate identifiers (awc, cjevent, irclickid) are left out on
// purpose: shops read those on the server to credit a sale.
constexpr std::string_view kTrackingParameters[] = {
    "ScCid",
    "__hsfp",
    "__hssc",
    "__hstc",
    "__s",
    "__twitter_impression",
    "_branch_match_id",
    "_branch_referrer",
    "_bta_c",
    "_bta_tid",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "_ke",
    "_kx",
    "_openstat",
    "ck_subscriber_id",
    "dclid",
    "dicbo",
    "dm_i",
    "ef_id",
    "elqTrack",
    "elqTrackId",
    "epik",
    "fb_action_ids",
    "fb_action_types",
    "fb_ref",
    "fb_source",
    "fbclid",
    "gad_campaignid",
    "gad_source",
    "gbraid",
    "gclid",
    "gclsrc",
    "hsCtaTracking",
    "igsh",
    "igshid",
    "li_fat_id",
    "matomo_campaign",
    "matomo_keyword",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "ml_subscriber",
    "ml_subscriber_hash",
    "msclkid",
    "oly_anon_id",
    "oly_enc_id",
    "piwik_campaign",
    "piwik_kwd",
    "pk_campaign",
    "pk_cid",
    "pk_content",
    "pk_keyword",
    "pk_kwd",
    "pk_medium",
    "pk_source",
    "qclid",
    "rb_clickid",
    "rdt_cid",
    "s_kwcid",
    "sccid",
    "srsltid",
    "tblci",
    "trk_contact",
    "trk_module",
    "trk_msg",
    "trk_sid",
    "ttclid",
    "twclid",
    "vero_conv",
    "vero_id",
    "vgo_ee",
    "wbraid",
    "wickedid",
    "yclid",
    "ymclid",
    "ysclid",
};
static_assert(std::ranges::is_sorted(kTrackingParameters));

constexpr std::string_view kTrackingPrefixes[] = {"utm_", "mtm_", "hsa_"};

constexpr std::string_view kHarmlessCookies[] = {
    // Google Analytics, Tag Manager and Ads
    "_ga*",
    "_gid",
    "_gcl_*",
    "_dc_gtm_*",
    "__utm*",
    "__gads",
    "__gpi",
    "__eoi",
    // Meta, Microsoft, TikTok, Pinterest, Snapchat, Reddit, Yandex
    "_fbp",
    "_fbc",
    "_clck",
    "_clsk",
    "_uetsid",
    "_uetvid",
    "_uetmsclkid",
    "_ttp",
    "_tt_enable_cookie",
    "_pin_unauth",
    "_scid",
    "_scid_r",
    "_rdt_uuid",
    "_ym_*",
    // Hotjar, Matomo, HubSpot, Heap, Mixpanel, Snowplow, Quantcast, Chartbeat, Parse.ly, Adobe
    "_hj*",
    "_pk_*",
    "__hstc",
    "__hssc",
    "__hssrc",
    "_hp2_*",
    "mp_*_mixpanel",
    "_sp_id.*",
    "_sp_ses.*",
    "__qca",
    "_cb",
    "_chartbeat2",
    "_cb_svref",
    "_parsely_*",
    "AMCV_*",
    "AMCVS_*",
    // Datadog's browser monitoring, Cloudflare's bot detection
    "_dd_s",
    "__cf_bm",
    "_cfuvid",
};

// Read by one framework or another to override what the request line, Host or the connection
// say, so that one client could make the page that all the others get.
constexpr std::string_view kPoisoningFields[] = {
    "Base-Url",
    "CF-Visitor",
    "CloudFront-Forwarded-Proto",
    "Forwarded-Host",
    "Front-End-Https",
    "HTTP-Method-Override",
    "Proxy",
    "Request-Uri",
    "Script-Name",
    "X-Envoy-Original-Dst-Host",
    "X-Envoy-Original-Path",
    "X-Forwarded",
    "X-Forwarded-Context",
    "X-Forwarded-Method",
    "X-Forwarded-Path",
    "X-Forwarded-Port",
    "X-Forwarded-Prefix",
    "X-Forwarded-Protocol",
    "X-Forwarded-Scheme",
    "X-Forwarded-Script-Name",
    "X-Forwarded-Server",
    "X-Forwarded-SSL",
    "X-Forwarded-Uri",
    "X-Host",
    "X-HTTP-Host-Override",
    "X-HTTP-Method",
    "X-HTTP-Method-Override",
    "X-Invoke-Output",
    "X-Invoke-Path",
    "X-Invoke-Query",
    "X-Invoke-Status",
    "X-Matched-Path",
    "X-Method-Override",
    "X-Middleware-Prefetch",
    "X-Middleware-Rewrite",
    "X-Middleware-Subrequest",
    "X-MS-Original-URL",
    "X-Now-Route-Matches",
    "X-Original-Host",
    "X-Original-Method",
    "X-Original-Path",
    "X-Original-URI",
    "X-Original-URL",
    "X-Override-URL",
    "X-Prerender-Revalidate",
    "X-Proxy-URL",
    "X-Replaced-Path",
    "X-Rewrite-URL",
    "X-Scheme",
    "X-Script-Name",
    "X-Url-Scheme",
};

// Compares names as CGI-like servers do, to which '-' and '_' are one.
bool same_for_cgi(std::string_view name, std::string_view known) {
  return std::ranges::equal(name, known, [](char a, char b) {
    return ascii_lower(a == '_' ? '-' : a) == ascii_lower(b);
  });
}

}  // namespace

bool is_tracking_parameter(std::string_view name) {
  return std::ranges::any_of(kTrackingPrefixes,
                             [&](std::string_view prefix) { return name.starts_with(prefix); }) ||
         std::ranges::binary_search(kTrackingParameters, name);
}

bool is_harmless_cookie(std::string_view name) {
  // "_gallery_session" is a Rails app's session, not Google's.
  if (name.ends_with("_session") || name.ends_with("-session") || name.size() < 2) return false;
  return std::ranges::any_of(kHarmlessCookies, [&](std::string_view pattern) {
    // Every pattern begins with two plain characters.
    return pattern[1] == name[1] && wildcard_match(pattern, name);
  });
}

bool is_poisoning_field(std::string_view name) {
  return std::ranges::any_of(kPoisoningFields,
                             [&](std::string_view known) { return same_for_cgi(name, known); });
}

bool is_framework_field(std::string_view name) {
  if (name.size() < 3) return false;
  switch (ascii_lower(name.front())) {
    case 'h':
      return equals_ignore_case(name, "hx-request") || equals_ignore_case(name, "hx-boosted") ||
             equals_ignore_case(name, "hx-target");
    case 'n':
      return starts_with_ignore_case(name, "next-router-");
    case 'r':
      return equals_ignore_case(name, "rsc");
    case 't':
      return equals_ignore_case(name, "turbo-frame");
    case 'x':
      return equals_ignore_case(name, "x-requested-with") || equals_ignore_case(name, "x-pjax") ||
             starts_with_ignore_case(name, "x-inertia") ||
             equals_ignore_case(name, "x-nextjs-data");
    default:
      return false;
  }
}

}  // namespace weir::keys
