#include "backends/redis/redis_store.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "backends/record.h"
#include "backends/redis/envelope.h"
#include "backends/redis/names.h"
#include "backends/redis/redis_body.h"
#include "backends/redis/redis_sweep.h"
#include "base/check.h"
#include "base/random.h"

namespace weir::backends::redis {
namespace {

// What an object takes beside its body, as far as room for it goes.
constexpr std::uint64_t kUsualHead = 2048;

// Room for a body that is to be written.
class RedisReservation final : public Reservation {
 public:
  RedisReservation(std::shared_ptr<RedisShared> shared, std::uint64_t bytes)
      : shared_(std::move(shared)), bytes_(bytes) {}
  ~RedisReservation() override { shared_->release(bytes_); }

 private:
  const std::shared_ptr<RedisShared> shared_;
  const std::uint64_t bytes_;
};

}  // namespace

// ---- look-ups ----

// A look-up on its way: the object's own value, and for a large one whether its pieces are there.
class RedisStore::Looking final : public PendingAnswer {
 public:
  Looking(RedisStore& store, keys::KeyView key, Purpose purpose, LookupWaiter& waiter)
      : store_(store),
        key_bytes_(key.bytes),
        key_{key_bytes_, key.hash},
        purpose_(purpose),
        waiter_(waiter) {}

  // PTTL first: should the value be replaced between the two, it is taken for older than it is.
  bool begin(const std::string& name) {
    Commands commands;
    commands.add({"PTTL", name}).add({"GET", name});
    return ask(Servers::Load::Small, name, std::move(commands), &Looking::on_value);
  }

 private:
  using Step = void (Looking::*)(const std::vector<Reply>& replies);

  bool ask(Servers::Load load, std::string_view name, Commands commands, Step step) {
    Link::Started call = store_.servers().call(
        load, name, std::move(commands), [this, step](const Link::Replies& replies, auto run) {
          if (!replies || !store_.may_read(run)) return answer(nullptr);
          (this->*step)(*replies);
        });
    if (!call) return false;
    call_ = std::move(*call);
    return true;
  }

  void on_value(const std::vector<Reply>& replies) {
    const Reply& left = replies[0];
    const Reply& value = replies[1];
    if (value.is_error()) store_.shared().refused(value, store_.loop().now_ms());
    const bool is_there =
        left.type == Reply::Type::Integer && left.integer >= 0 && value.type == Reply::Type::Bulk;
    if (!is_there) return answer(nullptr);
    std::string_view record = value.bytes();
    const Result<Envelope> envelope = read_envelope(record);
    if (!envelope) return answer(nullptr);
    const auto seq = store_.shared().positions().own(envelope->position);
    if (!seq) return answer(nullptr);
    const std::int64_t now_ms = store_.loop().now_ms();
    const std::int64_t lain_ms = std::max<std::int64_t>(envelope->expire_ms - left.integer, 0);
    const RecordTime time =
        RecordTime::undated(now_ms - lain_ms, *seq, store_.shared().positions().tag());
    if (envelope->generation == 0) {
      Result<EntryRef> entry = decode(record, key_, time, now_ms, value.chunk);
      return answer(entry ? std::move(*entry) : nullptr);
    }
    look_for_pieces(record, time, *envelope);
  }

  void look_for_pieces(std::string_view head, const RecordTime& time, const Envelope& envelope) {
    const std::string& prefix = store_.shared().options().prefix;
    std::vector<std::string> names = {"EXISTS"};
    const auto make_body = [&](std::uint64_t bytes, const std::vector<std::uint64_t>& sums) {
      for (std::size_t i = 0; i < sums.size(); ++i) {
        names.push_back(piece_name(prefix, key_bytes_, envelope.generation, i));
      }
      return Ref<const FarBody>(make_ref<RedisBody>(
          store_.shared_, RedisBody::Pieces{key_bytes_, envelope.generation, bytes, sums}));
    };
    Result<EntryRef> entry = decode_head(head, key_, time, store_.loop().now_ms(), make_body);
    if (!entry) return answer(nullptr);
    entry_ = std::move(*entry);
    pieces_ = names.size() - 1;
    Commands commands;
    commands.add(std::vector<std::string_view>(names.begin(), names.end()));
    if (!ask(Servers::Load::Large, names[1], std::move(commands), &Looking::on_pieces)) {
      answer(nullptr);
    }
  }

  void on_pieces(const std::vector<Reply>& replies) {
    const bool all_there = replies[0].type == Reply::Type::Integer &&
                           static_cast<std::uint64_t>(replies[0].integer) == pieces_;
    answer(all_there ? std::move(entry_) : nullptr);
  }

  // The waiter may drop this object: nothing comes after.
  void answer(EntryRef entry) {
    const bool counts =
        purpose_ != Purpose::Probe && (!entry || entry->kind() == EntryKind::Response);
    if (counts) store_.shared().count_lookup(entry != nullptr);
    waiter_.on_lookup(std::move(entry));
  }

  RedisStore& store_;
  const std::string key_bytes_;
  const keys::KeyView key_;
  const Purpose purpose_;
  LookupWaiter& waiter_;
  EntryRef entry_;          // while its pieces are looked for
  std::size_t pieces_ = 0;  // so many
  std::unique_ptr<PendingAnswer> call_;
};

Lookup RedisStore::lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) {
  const std::string name = object_name(shared_->options().prefix, key.bytes);
  const RedisShared::Doubt doubt = shared_->doubt_of(hash128(name));
  if (doubt == RedisShared::Doubt::OfThisOne) remove(name);
  if (doubt == RedisShared::Doubt::None) {
    auto looking = std::make_unique<Looking>(*this, key, purpose, waiter);
    if (looking->begin(name)) return {Lookup::Status::Pending, nullptr, std::move(looking)};
  }
  if (purpose != Purpose::Probe) shared_->count_lookup(false);
  return {};
}

bool RedisStore::may_read(std::string_view run) {
  if (shared_->positions().may_read(run)) return true;
  if (shared_->positions().meet(run)) servers_->met_another();
  return false;
}

// ---- changes ----

// Removals of which somebody wants to hear when the last has ended.
struct RedisStore::Erasures {
  void one_ended(bool is_gone) {
    are_gone = are_gone && is_gone;
    if (--left > 0 || !told) return;
    ErasedTold tell = std::exchange(told, nullptr);
    tell(are_gone);
  }

  std::size_t left = 0;
  bool are_gone = true;
  ErasedTold told;
};

// A change that is under way.
struct RedisStore::Write {
  std::string name;
  std::uint64_t doubts = 0;                     // DoubtfulKeys::now() when it was sent
  bool is_store = false;                        // else it is removed
  Commands value = {};                          // to be sent behind the pieces
  bool is_overtaken = false;                    // it was removed meanwhile
  std::unique_ptr<Reservation> room = nullptr;  // for its body
  std::unique_ptr<PendingAnswer> call = nullptr;
  StoreWaiter* waiter = nullptr;  // who wants to hear of it, as long as he does
  std::vector<std::shared_ptr<Erasures>> erasures = {};  // that it is one of
};

RedisStore::RedisStore(std::shared_ptr<RedisShared> shared, EventLoop& loop)
    : shared_(std::move(shared)), loop_(loop), servers_(make_servers(*shared_, loop)) {
  shared_->enter(loop_, *this);
}

RedisStore::~RedisStore() {
  shared_->leave(loop_, *this);
}

namespace {

// The caller's handle to a store.
class Heard final : public PendingAnswer {
 public:
  explicit Heard(std::function<void()> forget) : forget_(std::move(forget)) {}
  ~Heard() override { forget_(); }

 private:
  const std::function<void()> forget_;
};

}  // namespace

std::expected<std::unique_ptr<Reservation>, StoreResult> RedisStore::admit(
    std::optional<std::uint64_t> body_bytes) {
  const std::uint64_t body = body_bytes.value_or(0);
  if (body > shared_->options().max_object_size) return std::unexpected(StoreResult::TooLarge);
  if (!shared_->is_well()) return std::unexpected(StoreResult::Failed);
  if (!shared_->reserve(body + kUsualHead)) return std::unexpected(StoreResult::NoRoom);
  return std::make_unique<RedisReservation>(shared_, body + kUsualHead);
}

Storing RedisStore::store(EntryRef entry, std::unique_ptr<Reservation> reservation,
                          const StoreTerms& terms, StoreWaiter& waiter) {
  const std::string name = object_name(shared_->options().prefix, entry->key().bytes);
  const auto refuse = [&](StoreResult result) {
    shared_->add_doubt(hash128(name));  // what stands there is older
    remove(name);
    return Storing{result, nullptr};
  };
  if (entry->body_size() > shared_->options().max_object_size || entry->far_body()) {
    return refuse(StoreResult::TooLarge);
  }
  // A marker says nothing of what was purged, and so may be as new as can be told.
  const bool is_marker = entry->kind() == EntryKind::VaryMarker;
  const auto position = shared_->positions().shared(is_marker ? UINT64_MAX : entry->seq());
  if (!position) {
    shared_->count_dropped();
    return refuse(StoreResult::Failed);
  }
  Parcel parcel = parcel_of(*entry, name, terms, *position);
  const std::uint64_t number = next_write_++;
  auto write = std::make_unique<Write>(Write{.name = name,
                                             .doubts = shared_->doubtful().now(),
                                             .is_store = true,
                                             .room = std::move(reservation),
                                             .call = nullptr,
                                             .waiter = &waiter});
  const bool is_inside = parcel.pieces.count() == 0;
  if (!is_inside) {
    write->value = std::move(parcel.value);
    parcels_.emplace(name, number);
  }
  writes_[number] = std::move(write);
  const bool begun =
      is_inside ? send(number, Servers::Load::Small, name, std::move(parcel.value))
                : send(number, Servers::Load::Large, parcel.first_piece, std::move(parcel.pieces));
  if (!begun) {
    forget_parcel(number);
    writes_.erase(number);
    shared_->count_dropped();
    return refuse(StoreResult::Failed);
  }
  return {std::nullopt, std::make_unique<Heard>([weak = life_.watch(), number] {
            RedisStore* const store = weak.get();
            if (!store) return;
            const auto found = store->writes_.find(number);
            if (found != store->writes_.end()) found->second->waiter = nullptr;
          })};
}

bool RedisStore::send(std::uint64_t number, Servers::Load load, const std::string& name,
                      Commands commands) {
  Link::Started call = servers_->call(
      load, name, std::move(commands),
      [this, number](const Link::Replies& replies, auto) { write_went_on(number, replies); });
  if (!call) return false;
  writes_.at(number)->call = std::move(*call);
  return true;
}

StoreResult RedisStore::result_of(const Link::Replies& replies, bool is_removal) {
  if (!replies) return StoreResult::Failed;
  const auto refused = std::ranges::find_if(*replies, &Reply::is_error);
  if (refused == replies->end()) {
    const Reply& last = replies->back();
    const bool is_exchange = last.type == Reply::Type::Integer && !is_removal;
    return is_exchange && last.integer == 0 ? StoreResult::NotHeld : StoreResult::Stored;
  }
  shared_->refused(*refused, loop_.now_ms());
  return StoreResult::Failed;
}

void RedisStore::forget_parcel(std::uint64_t number) {
  const Write& write = *writes_.at(number);
  if (write.value.count() == 0) return;
  const auto [first, last] = parcels_.equal_range(write.name);
  const auto at = std::find_if(first, last, [&](const auto& one) { return one.second == number; });
  if (at != last) parcels_.erase(at);
}

// The value is sent when the pieces that it names are there.
void RedisStore::write_went_on(std::uint64_t number, const Link::Replies& replies) {
  Write& write = *writes_.at(number);
  forget_parcel(number);
  StoreResult result =
      write.is_overtaken ? StoreResult::Failed : result_of(replies, !write.is_store);
  if (result == StoreResult::Stored && write.value.count() > 0) {
    Commands value = std::exchange(write.value, {});
    if (send(number, Servers::Load::Small, write.name, std::move(value))) return;
    result = StoreResult::Failed;
  }
  write_ended(number, result);
}

void RedisStore::write_ended(std::uint64_t number, StoreResult result) {
  const std::unique_ptr<Write> write = std::move(writes_.extract(number).mapped());
  const Hash128 key = hash128(write->name);
  if (result == StoreResult::Stored) {
    shared_->doubtful().confirm(key, write->doubts);
    if (write->is_store) shared_->count_store();
  } else if (result != StoreResult::NotHeld) {
    shared_->add_doubt(key);
    if (write->is_store) {
      shared_->count_dropped();
      remove(write->name);
    }
  }
  // Who hears may end this store.
  if (write->waiter) write->waiter->on_stored(result);
  for (const auto& erasures : write->erasures) erasures->one_ended(result == StoreResult::Stored);
}

bool RedisStore::remove(const std::string& name) {
  const auto [first, last] = parcels_.equal_range(name);
  for (auto one = first; one != last; ++one) writes_.at(one->second)->is_overtaken = true;
  Commands commands;
  commands.add({"UNLINK", name});
  const std::uint64_t number = next_write_++;
  writes_[number] =
      std::make_unique<Write>(Write{.name = name, .doubts = shared_->doubtful().now()});
  if (send(number, Servers::Load::Small, name, std::move(commands))) return true;
  writes_.erase(number);
  shared_->add_doubt(hash128(name));
  return false;
}

// Not read again before the server has confirmed it.
EraseResult RedisStore::erase(keys::KeyView key) {
  const std::string name = object_name(shared_->options().prefix, key.bytes);
  shared_->add_doubt(hash128(name));
  return remove(name) ? EraseResult::Started : EraseResult::Failed;
}

std::unique_ptr<PendingAnswer> RedisStore::when_erased(std::uint64_t since, ErasedTold told) {
  const auto erasures = std::make_shared<Erasures>();
  for (const auto& [number, write] : writes_) {
    if (write->is_store || number < since) continue;
    write->erasures.push_back(erasures);
    ++erasures->left;
  }
  if (erasures->left == 0) return nullptr;
  erasures->told = std::move(told);
  return std::make_unique<Heard>([erasures] { erasures->told = nullptr; });
}

}  // namespace weir::backends::redis
