#include "base/life.h"

#include <gtest/gtest.h>

#include <optional>

namespace weir {
namespace {

struct Owner {
  Life<Owner> life{*this};
};

TEST(Life, AWeakPointerLeadsToItsObjectWhileThatLives) {
  std::optional<Owner> owner(std::in_place);
  const Weak<Owner> weak = owner->life.watch();
  const Weak<Owner> copy = weak;
  EXPECT_EQ(weak.get(), &*owner);
  owner.reset();
  EXPECT_FALSE(weak);
  EXPECT_EQ(copy.get(), nullptr);
}

TEST(Life, WhatWasHandedOutBeforeAnEndStaysNull) {
  Owner owner;
  const Weak<Owner> first = owner.life.watch();
  owner.life.end();
  const Weak<Owner> second = owner.life.watch();
  EXPECT_FALSE(first);
  EXPECT_EQ(second.get(), &owner);
}

TEST(Life, MayBeginAndEndAgainAndAgainWhoeverStillHolds) {
  // Also where what was handed out has been dropped, and its cell serves once more.
  std::optional<Owner> owner(std::in_place);
  Weak<Owner> kept;
  for (const bool keep : {false, true, false, false, true}) {
    const Weak<Owner> old = kept;
    {
      const Weak<Owner> now = owner->life.watch();
      EXPECT_EQ(now.get(), &*owner);
      EXPECT_EQ(owner->life.watch().get(), &*owner);
      EXPECT_FALSE(old);
      if (keep) kept = now;
      owner->life.end();
      EXPECT_FALSE(now);
    }
    EXPECT_FALSE(kept);
  }
  const Weak<Owner> last = owner->life.watch();
  owner.reset();
  EXPECT_FALSE(last);
}

TEST(Life, AnEmptyWeakPointerIsNull) {
  EXPECT_FALSE(Weak<Owner>());
}

}  // namespace
}  // namespace weir
