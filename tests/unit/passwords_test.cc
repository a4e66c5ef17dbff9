#include "order_service/passwords.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <latch>

namespace mtp::order {
namespace {

constexpr PasswordCost kCheap{.memory_mib = 1, .passes = 1};

TEST_CASE("a hash is of its password and of no other") {
  const PasswordHasher hasher(kCheap);
  const std::string hash = hasher.Hash("four wet umbrellas").value();
  CHECK(hash.starts_with("$argon2id$v=19$m=1024,t=1,"));
  CHECK(hash != hasher.Hash("four wet umbrellas").value());
  CHECK(hasher.Matches("four wet umbrellas", hash).value());
  CHECK_FALSE(hasher.Matches("four wet umbrella", hash).value());
  CHECK_FALSE(hasher.Matches("", hash).value());
  CHECK_FALSE(hasher.Matches("four wet umbrellas", "").value());
  CHECK_FALSE(hasher.Matches("", "").value());
  CHECK_FALSE(hasher.Matches("four wet umbrellas", "no hash").value());
}

TEST_CASE("a hash that cost less than it would now is known") {
  const PasswordHasher cheap(kCheap);
  const PasswordHasher dear({.memory_mib = 2, .passes = 1});
  const PasswordHasher often({.memory_mib = 1, .passes = 2});
  const std::string hash = cheap.Hash("four wet umbrellas").value();
  CHECK_FALSE(cheap.IsCheap(hash));
  CHECK(dear.IsCheap(hash));
  CHECK(often.IsCheap(hash));
  CHECK(dear.Matches("four wet umbrellas", hash).value());
  CHECK_FALSE(cheap.IsCheap(dear.Hash("four wet umbrellas").value()));
  CHECK(cheap.IsCheap("no hash"));
}

TEST_CASE("what is derived of a password depends on it and on the context") {
  const PasswordHasher hasher(kCheap);
  const std::string derived = hasher.Derive("umbrella", "call 1").value();
  CHECK(derived.size() == 32);
  CHECK(derived == hasher.Derive("umbrella", "call 1").value());
  CHECK(derived != hasher.Derive("umbrella", "call 2").value());
  CHECK(derived != hasher.Derive("umbrellas", "call 1").value());
}

TEST_CASE("passwords that are tried first, or need no trying, are weak") {
  for (const char* weak :
       {"aaaaaaaaaaaa", "abababababab", "abcabcabcabc", "secret-secret-",
        "123456789012", "abcdefghijkl", "qwertyuiopas", "zyxwvutsrqpo",
        "Password1234", "P@ssw0rd2024", "welcome12345", "Welcome!2024",
        "admin1234567", "Seeduwa-2026", "nimal-1234-x", "NIMALperera1",
        "iloveyou1234"}) {
    INFO(weak);
    CHECK(WeaknessOf(weak, "nimal") != "");
  }
}

TEST_CASE("passwords that people and programs make are not weak") {
  for (const char* good :
       {"four wet umbrellas", "seven loud kettles downhill", "k7mq2x9fbt4w",
        "correct horse battery staple", "the admin lives in Kandy",
        "Tr0ub4dor&3x!", "මගේ මුරපදය දිගයි", "9f8d7a6s5k4j",
        "my password is a long one"}) {
    INFO(good);
    CHECK(WeaknessOf(good, "nimal") == "");
  }
  // A short name is in too many words.
  CHECK(WeaknessOf("panorama of hills", "ama") == "");
}

TEST_CASE("the pool takes so much and no more, and finishes what it took") {
  std::atomic<int> done = 0;
  std::latch go(1);
  {
    PasswordPool pool(1, 2);
    std::latch begun(1);
    REQUIRE(pool.Run([&] {
      begun.count_down();
      go.wait();
      ++done;
    }));
    begun.wait();
    CHECK(pool.Run([&] { ++done; }));
    CHECK(pool.Run([&] { ++done; }));
    CHECK_FALSE(pool.Run([&] { ++done; }));
    go.count_down();
  }
  CHECK(done == 3);
}

}  // namespace
}  // namespace mtp::order
