// Every "no" has a name. One token each, stable, the same in Cache-Status, the access log, metrics
// and explain. The subject (which cookie, header, field) travels beside it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace weir::policy {

// clang-format off
#define WEIR_REASONS(X)                                                                         \
  X(NoRoute, "no-route", "no route matches; passed through")                                    \
  X(RouteOff, "route-off", "the route has no cache")                                            \
  X(Method, "method", "only GET and HEAD are cached (RFC 9110 9.2.3)")                          \
  X(Cookie, "cookie", "the request has a cookie that is neither in the key nor ignored")        \
  X(Session, "session", "the request has a session cookie")                                     \
  X(Authorization, "authorization", "the request carries credentials (RFC 9111 3.5)")           \
  X(SetCookie, "set-cookie", "the response sets a cookie")                                      \
  X(NoStore, "no-store", "Cache-Control: no-store (RFC 9111 5.2.2.5)")                          \
  X(NoCache, "no-cache", "the response may not be used without validation (RFC 9111 5.2.2.4)")  \
  X(Private, "private", "Cache-Control: private (RFC 9111 5.2.2.7)")                            \
  X(VaryStar, "vary-star", "Vary: * matches no other request (RFC 9111 4.1)")                   \
  X(Variants, "variants", "the URL has reached max_variants")                                   \
  X(Status, "status", "this status is not among the route's statuses")                          \
  X(TooLarge, "too-large", "larger than the backend's max_object_size")                         \
  X(Truncated, "truncated", "the body was cut, or only its connection's end delimits it")       \
  X(Armor, "armor", "the path's extension contradicts the Content-Type")                        \
  X(NoTtl, "no-ttl", "nothing gives it a lifetime above 0")                                     \
  X(ClientNoCache, "client-no-cache", "the client's no-cache is honoured on this route")        \
  X(Body, "body", "a GET or HEAD with a body")                                                  \
  X(Stream, "stream", "an endless type, such as text/event-stream")                             \
  X(Upgrade, "upgrade", "a protocol upgrade")                                                   \
  X(UpstreamError, "upstream-error", "the app could not be reached or answered garbage")        \
  X(UpstreamTimeout, "upstream-timeout", "the app did not answer in time")                      \
  X(StaleWhileRevalidate, "stale-while-revalidate", "served stale, refreshed behind (RFC 5861 3)") \
  X(StaleIfError, "stale-if-error", "served stale because the app failed (RFC 5861 4)")         \
  X(StaleSlow, "stale-slow", "served stale because the app was slow")                           \
  X(OnlyIfCached, "only-if-cached", "the client wanted a stored response only (RFC 9111 5.2.1.7)")
// clang-format on

enum class Reason : std::uint8_t {
  None,
#define WEIR_REASON_ENUM(id, token, text) id,
  WEIR_REASONS(WEIR_REASON_ENUM)
#undef WEIR_REASON_ENUM
      Count
};

std::string_view token(Reason reason);     // empty for None
std::string_view text(Reason reason);      // a sentence for a person
Reason reason_of(std::string_view token);  // None where it is none's

// A verdict with its reason and the subject it is about ("sessionid", "Set-Cookie").
struct Refusal {
  Reason reason = Reason::None;
  std::string subject;
  // The next request may be luckier: not remembered against its URL.
  bool momentary = false;
  explicit operator bool() const { return reason != Reason::None; }
};

}  // namespace weir::policy
