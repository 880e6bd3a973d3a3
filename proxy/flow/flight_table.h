// The flights that may be joined, by key. Any thread; short leaf locks.
#pragma once

#include <array>
#include <mutex>
#include <string>
#include <unordered_map>

#include "cachekeys/key.h"
#include "proxy/flow/flight.h"
#include "proxy/flow/purge_book.h"

namespace weir::flow {

class FlightTable {
 public:
  struct Joined {
    Ref<Flight> flight;
    bool lead = false;  // newly made: the caller must produce it
  };

  // The flight in progress for this key if it may be joined, else a new one under its name. Nobody
  // joins one that began before a mark of the purge book that is about it.
  Joined join(keys::KeyView key, FillBudget& budget, const PurgeBook& purges);
  // Gives a flight another name, because its head told which variant it is. False: a flight of that
  // name is in progress and is left alone; this one then has none.
  bool rename(keys::KeyView from, keys::KeyView to, const Ref<Flight>& flight);
  // Takes the name away, if it is still this flight's.
  void remove(keys::KeyView key, const Ref<Flight>& flight);
  // Whose name it is; null: nobody's.
  Ref<Flight> find(keys::KeyView key);
  std::size_t size();

 private:
  static constexpr std::size_t kShards = 16;
  struct Shard {
    std::mutex mutex;
    std::unordered_map<std::string, Ref<Flight>> flights;  // guarded by mutex
  };
  Shard& shard(keys::KeyView key) { return shards_[key.hash.high % kShards]; }

  std::array<Shard, kShards> shards_;
};

}  // namespace weir::flow
