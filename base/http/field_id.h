// The field names that Weir knows, as small numbers, so that looking one up costs an array index.
#pragma once

#include <cstdint>
#include <string_view>

namespace weir::http {

// clang-format off
#define WEIR_HTTP_FIELDS(X)                                                          \
  X(Accept, "Accept") X(AcceptEncoding, "Accept-Encoding")                           \
  X(AcceptLanguage, "Accept-Language") X(AcceptRanges, "Accept-Ranges")              \
  X(AccessControlAllowOrigin, "Access-Control-Allow-Origin") X(Age, "Age")           \
  X(Authorization, "Authorization") X(CacheControl, "Cache-Control")                 \
  X(CacheGroups, "Cache-Groups") X(CacheStatus, "Cache-Status")                      \
  X(CacheTag, "Cache-Tag") X(CdnCacheControl, "CDN-Cache-Control")                   \
  X(Connection, "Connection") X(ContentEncoding, "Content-Encoding")                 \
  X(ContentLength, "Content-Length") X(ContentLocation, "Content-Location")          \
  X(ContentRange, "Content-Range") X(ContentType, "Content-Type")                    \
  X(Cookie, "Cookie") X(Date, "Date") X(ETag, "ETag") X(Expect, "Expect")            \
  X(Expires, "Expires") X(Forwarded, "Forwarded") X(Host, "Host")                    \
  X(Http2Settings, "HTTP2-Settings") X(IfMatch, "If-Match")                          \
  X(IfModifiedSince, "If-Modified-Since") X(IfNoneMatch, "If-None-Match")            \
  X(IfRange, "If-Range") X(IfUnmodifiedSince, "If-Unmodified-Since")                 \
  X(KeepAlive, "Keep-Alive") X(LastModified, "Last-Modified")                        \
  X(Location, "Location") X(MaxForwards, "Max-Forwards") X(Origin, "Origin")         \
  X(Pragma, "Pragma") X(ProxyAuthenticate, "Proxy-Authenticate")                     \
  X(ProxyAuthorization, "Proxy-Authorization")                                       \
  X(ProxyConnection, "Proxy-Connection") X(Range, "Range") X(Referer, "Referer")     \
  X(RetryAfter, "Retry-After") X(Server, "Server") X(SetCookie, "Set-Cookie")        \
  X(SurrogateKey, "Surrogate-Key") X(TE, "TE") X(Trailer, "Trailer")                 \
  X(TransferEncoding, "Transfer-Encoding") X(Upgrade, "Upgrade")                     \
  X(UserAgent, "User-Agent") X(Vary, "Vary") X(Via, "Via")                           \
  X(WwwAuthenticate, "WWW-Authenticate") X(XForwardedFor, "X-Forwarded-For")         \
  X(XForwardedHost, "X-Forwarded-Host") X(XForwardedPort, "X-Forwarded-Port")        \
  X(XForwardedPrefix, "X-Forwarded-Prefix")                                          \
  X(XForwardedProto, "X-Forwarded-Proto")                                            \
  X(XKey, "xkey")
// clang-format on

enum class FieldId : std::uint8_t {
  Other = 0,
#define WEIR_HTTP_FIELD_ENUM(id, text) id,
  WEIR_HTTP_FIELDS(WEIR_HTTP_FIELD_ENUM)
#undef WEIR_HTTP_FIELD_ENUM
      Count
};

inline constexpr std::size_t kFieldIdCount = static_cast<std::size_t>(FieldId::Count);

// Case-insensitive; Other when unknown. No allocation, a few comparisons.
FieldId field_id(std::string_view name);
// The name as its specification writes it; empty for Other.
std::string_view field_name(FieldId id);

}  // namespace weir::http
