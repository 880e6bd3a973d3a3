// A link on its way to a server: where it is, a connection, and who we are.
#include <algorithm>
#include <utility>

#include "backends/redis/link.h"

namespace weir::backends::redis {

// Nothing of it happens within a call.
void Link::begin() {
  state_ = State::Resolving;
  began_ms_ = loop_.now_ms();
  loop_.post([weak = life_.watch()] {
    Link* const link = weak.get();
    if (!link || link->state_ != State::Resolving) return;
    auto finding = link->finder_->find(
        [link](Result<ServerPlace> place) { link->on_found(std::move(place)); });
    // It may be found, or not, by now.
    if (weak && link->state_ == State::Resolving && !link->asking_) {
      link->finding_ = std::move(finding);
    }
  });
}

void Link::on_found(Result<ServerPlace> place) {
  finding_.reset();
  if (!place) return fail_with(place.error().message, LinkFault::Unreachable);
  place_ = std::move(*place);
  if (!place_.unix_path.empty()) {
    auto address = SocketAddress::unix_path(place_.unix_path);
    if (!address) return on_resolved(std::unexpected(address.error()));
    return on_resolved(Resolver::Addresses{*address});
  }
  asking_ = resolver_.resolve(
      loop_, place_.host, place_.port,
      [this](Result<Resolver::Addresses> addresses) { on_resolved(std::move(addresses)); });
}

void Link::on_resolved(Result<Resolver::Addresses> addresses) {
  asking_.reset();
  if (!addresses) return fail_with(addresses.error().message, LinkFault::Unreachable);
  addresses_ = std::move(*addresses);
  std::ranges::reverse(addresses_);
  connect_next("it has no address");
}

void Link::connect_next(const std::string& why_not_the_last) {
  connection_.reset();
  write_fault_.clear();
  state_ = State::Connecting;
  std::string why = why_not_the_last;
  const std::string& name = place_.tls_name.empty() ? place_.host : place_.tls_name;
  while (!addresses_.empty()) {
    const SocketAddress address = addresses_.back();
    addresses_.pop_back();
    auto connection =
        place_.tls ? connect_tls(loop_, address, place_.tls, name) : connect_to(loop_, address);
    if (connection) {
      connection_ = std::move(*connection);
      connection_->set_handler(*this);
      connection_->want(true, true);
      return watch_time();
    }
    why = connection.error().message;
  }
  fail_with(why, LinkFault::Unreachable);
}

// A PING behind who we are: it is refused where we had to say, and where the server is loading. And
// which run of the server it is: after another one it may hold what it held before. A server that
// becomes master gives itself another number for its replicas.
void Link::greet() {
  state_ = State::Greeting;
  Commands commands;
  if (!place_.password.empty()) {
    if (place_.username.empty()) {
      commands.add({"AUTH", place_.password});
    } else {
      commands.add({"AUTH", place_.username, place_.password});
    }
  }
  if (place_.db != 0) commands.add({"SELECT", std::to_string(place_.db)});
  commands.add({"PING"});
  if (options_.kind != LinkOptions::Kind::Guide) {
    commands.add({"INFO", "server"}).add({"INFO", "replication"});
  }
  reader_ = std::make_unique<ReplyReader>(options_.replies);
  greeting_ = Call{.missing = commands.count(), .heard = [this](Replies replies, std::string_view) {
                     on_greeted(std::move(replies));
                   }};
  out_.assign(commands.bytes());
  out_at_ = 0;
  flush();
}

std::string Link::refusal_in(const std::vector<Reply>& replies) {
  const auto error = std::ranges::find_if(replies, &Reply::is_error);
  return error == replies.end() ? "" : error->refusal();
}

void Link::on_greeted(Replies replies) {
  if (const std::string refusal = refusal_in(*replies); !refusal.empty()) {
    return fail_with(refusal, LinkFault::Unreachable);
  }
  if (options_.kind != LinkOptions::Kind::Guide) {
    const std::string_view replication = replies->back().bytes();
    if (options_.kind == LinkOptions::Kind::Master && info_field(replication, "role") != "master") {
      return fail_with("it is no master", LinkFault::Unreachable);
    }
    run_ = run_of((*replies)[replies->size() - 2].bytes(), replication);
  }
  state_ = State::Ready;
  why_apart_.clear();
  rest_ms_ = 0;
  last_byte_ms_ = loop_.now_ms();
  out_.append(queued_);
  queued_.clear();
  const Weak<Link> weak = life_.watch();
  tell({});
  if (!weak) return;
  flush_soon();
  watch_time();
}

}  // namespace weir::backends::redis
