#include "backends/disk/disk_store.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "backends/disk/disk_inflow.h"
#include "backends/disk/pending_store.h"
#include "base/life.h"
#include "base/net/timer.h"

namespace weir::backends::disk {
namespace {

// What a record takes beside key, head and body.
constexpr std::uint64_t kRecordOverhead = 256;
// Where key and head are not known yet.
constexpr std::uint64_t kUsualHead = 2048;
// A medium that takes longer has failed.
constexpr std::int64_t kMostErasing_ms = 10'000;

// A small body, like a marker's lists, lies behind the head.
std::uint64_t record_bytes(const Entry& entry) {
  const bool lies_apart = !entry.has_inline_body() && !entry.far_body();
  return kRecordOverhead + entry.key().bytes.size() + entry.status_line().size() +
         entry.stored_head_and_inline_body().size() + (lies_apart ? entry.body_size() : 0);
}

// Room in the queue of what is to be written.
class DiskReservation final : public Reservation {
 public:
  DiskReservation(std::shared_ptr<Volume> volume, std::uint64_t bytes)
      : volume_(std::move(volume)), bytes_(bytes) {}
  ~DiskReservation() override { volume_->release(bytes_); }

  std::uint64_t take() { return std::exchange(bytes_, 0); }

 private:
  const std::shared_ptr<Volume> volume_;
  std::uint64_t bytes_;
};

}  // namespace

// A look-up that waits for the medium.
class DiskStore::Reading final : public PendingAnswer {
 public:
  Reading(DiskStore& store, const Hash128& hash, const RecordPlace& place, Purpose purpose,
          LookupWaiter& waiter)
      : store_(store), hash_(hash), place_(place), purpose_(purpose), waiter_(waiter) {}

  Weak<Reading> watch() { return life_.watch(); }
  // On the loop. The waiter may drop this object: nothing comes after.
  void ended(RecordRead&& read) {
    EntryRef entry = store_.volume_->take(std::move(read), hash_, place_);
    store_.count(entry.get(), purpose_);
    waiter_.on_lookup(std::move(entry));
  }

 private:
  DiskStore& store_;
  const Hash128 hash_;
  const RecordPlace place_;
  const Purpose purpose_;
  LookupWaiter& waiter_;
  Life<Reading> life_{*this};
};

// A part of a listing that waits for the medium.
class DiskStore::Looking final : public PendingAnswer {
 public:
  Looking(Volume& volume, std::vector<Listed> queued, ListWaiter& waiter)
      : volume_(volume), queued_(std::move(queued)), waiter_(waiter) {}

  Weak<Looking> watch() { return life_.watch(); }
  // On the loop. The waiter may drop this object: nothing comes after.
  void ended(RecordList::Part&& read) {
    ListPart part = volume_.listed(std::move(read));
    std::ranges::move(queued_, std::back_inserter(part.entries));
    waiter_.on_listed(std::move(part));
  }

 private:
  Volume& volume_;
  std::vector<Listed> queued_;  // belong to this part
  ListWaiter& waiter_;
  Life<Looking> life_{*this};
};

// Erasures that are not written yet.
class DiskStore::Erasing final : public PendingAnswer {
 public:
  Erasing(EventLoop& loop, ErasedTold told)
      : told_(std::move(told)), patience_(loop, [this] { ended(false); }) {
    patience_.start(kMostErasing_ms);
  }

  Weak<Erasing> watch() { return life_.watch(); }
  // On the loop. Whoever is told may drop this object: nothing comes after.
  void ended(bool are_gone) {
    patience_.stop();
    if (ErasedTold told = std::exchange(told_, nullptr)) told(are_gone);
  }

 private:
  ErasedTold told_;
  Timer patience_;
  Life<Erasing> life_{*this};
};

DiskStore::DiskStore(std::shared_ptr<Volume> volume, EventLoop& loop)
    : volume_(std::move(volume)), loop_(loop), door_(std::make_shared<LoopDoor>(loop)) {}

DiskStore::~DiskStore() {
  door_->close();
}

void DiskStore::count(const Entry* found, Purpose purpose) {
  if (purpose == Purpose::Probe) return;
  if (found && found->kind() != Entry::Kind::Response) return;
  volume_->count_lookup(found != nullptr);
}

// ---- look-ups ----

DiskStore::AtOnce DiskStore::look_up_at_once(keys::KeyView key, const Hash128& hash,
                                             Purpose purpose, bool may_be_far) {
  AtOnce out;
  out.found = volume_->find(key, hash, purpose);
  out.entry = std::move(out.found.entry);
  if (out.entry) out.status = Lookup::Status::Hit;
  if (!out.found.segment || !volume_->may_read()) return out;
  RecordRead read = volume_->reader().read_now(volume_->asked(out.found, key, hash, may_be_far));
  if (read.status == RecordRead::Status::Elsewhere) {
    out.status = Lookup::Status::Pending;
    return out;
  }
  out.entry = volume_->take(std::move(read), hash, out.found.place);
  if (out.entry) out.status = Lookup::Status::Hit;
  return out;
}

bool DiskStore::may_have(keys::KeyView key) {
  const Volume::Found found = volume_->find(key, volume_->hash_of(key), Purpose::Probe);
  return found.entry || found.segment;
}

EntryRef DiskStore::lookup_now(keys::KeyView key, Purpose purpose) {
  AtOnce answer = look_up_at_once(key, volume_->hash_of(key), purpose, purpose == Purpose::Serve);
  if (answer.entry) count(answer.entry.get(), purpose);
  return std::move(answer.entry);
}

Lookup DiskStore::lookup(keys::KeyView key, Purpose purpose, LookupWaiter& waiter) {
  const Hash128 hash = volume_->hash_of(key);
  // What has been waited for may be kept: it is asked for by a fetch.
  AtOnce answer = look_up_at_once(key, hash, purpose, false);
  if (answer.status != Lookup::Status::Pending) {
    count(answer.entry.get(), purpose);
    return {answer.status, std::move(answer.entry), nullptr};
  }
  auto reading = std::make_unique<Reading>(*this, hash, answer.found.place, purpose, waiter);
  volume_->executor().run([asked = volume_->asked(answer.found, {}, hash),
                           bytes = std::string(key.bytes), key_hash = key.hash,
                           reader = volume_->reader(), door = door_,
                           weak = reading->watch()]() mutable {
    asked.key = {bytes, key_hash};
    RecordRead read = reader.read_waiting(asked);
    door->post([weak, read = std::move(read)]() mutable {
      if (Reading* const waiting = weak.get()) waiting->ended(std::move(read));
    });
  });
  return {Lookup::Status::Pending, nullptr, std::move(reading)};
}

Listing DiskStore::list(char first_byte, std::uint64_t from, ListWaiter& waiter) {
  std::vector<Listed> queued;
  if (from == 0) queued = volume_->queued(first_byte);
  auto looking = std::make_unique<Looking>(*volume_, std::move(queued), waiter);
  volume_->executor().run([records = volume_->record_list(), first_byte, from,
                           now_ms = volume_->now_ms(), door = door_,
                           weak = looking->watch()]() mutable {
    RecordList::Part read = records.read(first_byte, from, now_ms);
    door->post([weak, read = std::move(read)]() mutable {
      if (Looking* const waiting = weak.get()) waiting->ended(std::move(read));
    });
  });
  return {std::nullopt, std::move(looking)};
}

// ---- changes ----

std::expected<std::unique_ptr<Reservation>, StoreResult> DiskStore::admit(
    std::optional<std::uint64_t> body_bytes) {
  const std::uint64_t body = body_bytes.value_or(0);
  if (body > volume_->max_object_size()) return std::unexpected(StoreResult::TooLarge);
  const std::uint64_t bytes = kRecordOverhead + kUsualHead + body;
  if (!volume_->may_store()) return std::unexpected(StoreResult::Failed);
  if (!volume_->reserve(bytes)) return std::unexpected(StoreResult::NoRoom);
  return std::make_unique<DiskReservation>(volume_, bytes);
}

Storing DiskStore::store(EntryRef entry, std::unique_ptr<Reservation> reservation,
                         const StoreTerms&, StoreWaiter& waiter) {
  const Hash128 hash = volume_->hash_of(entry->key());
  const std::uint64_t bytes = record_bytes(*entry);
  auto* const admitted = static_cast<DiskReservation*>(reservation.get());
  const std::uint64_t paid = admitted ? admitted->take() : 0;
  const auto room = [&] {
    if (entry->body_size() > volume_->max_object_size()) return StoreResult::TooLarge;
    if (bytes > volume_->max_record_size()) return StoreResult::TooLarge;
    if (!admitted && !volume_->may_store()) return StoreResult::Failed;
    const bool reserved = bytes <= paid || volume_->reserve(bytes - paid);
    return reserved ? StoreResult::Stored : StoreResult::NoRoom;
  }();
  if (room != StoreResult::Stored) {
    volume_->release(paid);
    volume_->erase(hash);  // what stands there is older
    return {room, nullptr};
  }
  if (paid > bytes) volume_->release(paid - bytes);
  auto writing = std::make_unique<PendingStore>(waiter);
  volume_->put(hash, std::move(entry), bytes,
               [door = door_, weak = writing->watch()](StoreResult result) {
                 door->post([weak, result] {
                   if (PendingStore* const asked = weak.get()) asked->ended(result);
                 });
               });
  return {std::nullopt, std::move(writing)};
}

EraseResult DiskStore::erase(keys::KeyView key) {
  return volume_->erase(volume_->hash_of(key));
}

std::unique_ptr<PendingAnswer> DiskStore::when_erased(std::uint64_t /*since*/, ErasedTold told) {
  auto erasing = std::make_unique<Erasing>(loop_, std::move(told));
  volume_->when_written([door = door_, weak = erasing->watch()](bool are_gone) {
    door->post([weak, are_gone] {
      if (Erasing* const waiting = weak.get()) waiting->ended(are_gone);
    });
  });
  return erasing;
}

std::uint64_t DiskStore::most_whole() const {
  return std::min(RecordReader::kWholeBytes - RecordReader::kUsualHead, volume_->max_object_size());
}

std::expected<std::unique_ptr<Inflow>, StoreResult> DiskStore::open_inflow(
    std::optional<std::uint64_t> body_bytes) {
  if (body_bytes.value_or(0) > volume_->max_object_size()) {
    return std::unexpected(StoreResult::TooLarge);
  }
  // One of unknown length was admitted before it turned out to be large.
  if (body_bytes && !volume_->may_store()) return std::unexpected(StoreResult::Failed);
  return std::make_unique<DiskInflow>(volume_, door_);
}

}  // namespace weir::backends::disk
