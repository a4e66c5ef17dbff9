#include "order_service/passwords.h"

#include <sodium.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"

namespace mtp::order {
namespace {

constexpr size_t kFewCharacters = 5;
// A shorter username is in too many good passwords.
constexpr size_t kUsernameCounts = 4;

// What stands at the top of every list of stolen passwords, and what suggests
// itself here.
constexpr std::string_view kTriedFirst[] = {
    "password", "passwort", "passcode", "welcome",  "letmein",
    "iloveyou", "monkey",   "dragon",   "football", "baseball",
    "sunshine", "princess", "master",   "admin",    "administrator",
    "superman", "batman",   "trustno",  "shadow",   "michael",
    "secret",   "changeme", "default",  "computer", "internet",
    "login",    "access",   "cricket",  "srilanka", "lanka",
    "ceylon",   "colombo",  "kandy",    "seeduwa",  "grandpass",
    "tealine",  "blend",    "company",  "summer",   "winter"};

constexpr std::string_view kRows[] = {"1234567890", "qwertyuiop", "asdfghjkl",
                                      "zxcvbnm"};

bool Neighbours(char a, char b) {
  if (a == b || a + 1 == b || b + 1 == a) return true;
  for (const std::string_view row : kRows) {
    const size_t at = row.find(a);
    if (at == std::string_view::npos) continue;
    if ((at + 1 < row.size() && row[at + 1] == b) ||
        (at > 0 && row[at - 1] == b)) {
      return true;
    }
  }
  return false;
}

// Characters that do not just follow from the one before.
size_t Surprises(std::string_view text) {
  size_t count = text.empty() ? 0 : 1;
  for (size_t i = 1; i < text.size(); ++i) {
    if (!Neighbours(text[i - 1], text[i])) ++count;
  }
  return count;
}

bool RepeatsItself(std::string_view text) {
  for (size_t period = 1; period <= text.size() / 2; ++period) {
    if (text.substr(period) == text.substr(0, text.size() - period))
      return true;
  }
  return false;
}

// Letters for what is written instead of them.
std::string Unmasked(const std::string& text) {
  return absl::StrReplaceAll(text, {{"0", "o"},
                                    {"1", "l"},
                                    {"3", "e"},
                                    {"4", "a"},
                                    {"5", "s"},
                                    {"7", "t"},
                                    {"@", "a"},
                                    {"$", "s"},
                                    {"!", "i"}});
}

// How many letters are left without the words that are tried first. Digits and
// signs around a word are tried with it.
size_t LettersBesideWords(std::string text) {
  for (const std::string_view word : kTriedFirst) {
    for (size_t at = text.find(word); at != std::string::npos;
         at = text.find(word)) {
      text.erase(at, word.size());
    }
  }
  return static_cast<size_t>(std::count_if(
      text.begin(), text.end(),
      [](unsigned char c) { return absl::ascii_isalpha(c) || c >= 0x80; }));
}

bool HasWord(const std::string& text) {
  return std::any_of(std::begin(kTriedFirst), std::end(kTriedFirst),
                     [&](std::string_view word) {
                       return text.find(word) != std::string::npos;
                     });
}

bool IsWordsAlone(const std::string& text) {
  return HasWord(text) && LettersBesideWords(text) < kFewCharacters;
}

}  // namespace

PasswordHasher::PasswordHasher(PasswordCost cost) : cost_(cost) {
  unsigned char random[32];
  randombytes_buf(random, sizeof random);
  std::string password(reinterpret_cast<const char*>(random), sizeof random);
  nobodys_ = Hash(password).value_or("");
}

absl::StatusOr<std::string> PasswordHasher::Hash(
    const std::string& password) const {
  std::string hash(crypto_pwhash_STRBYTES, '\0');
  if (crypto_pwhash_str_alg(hash.data(), password.data(), password.size(),
                            static_cast<unsigned long long>(cost_.passes),
                            static_cast<size_t>(cost_.memory_mib) << 20,
                            crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError("not enough memory to hash a password");
  }
  hash.resize(hash.find('\0'));
  return hash;
}

absl::StatusOr<bool> PasswordHasher::Matches(const std::string& password,
                                             const std::string& hash) const {
  const std::string& against = hash.empty() ? nobodys_ : hash;
  errno = 0;
  const bool matches =
      crypto_pwhash_str_verify(against.c_str(), password.data(),
                               password.size()) == 0;
  if (!matches && errno == ENOMEM)
    return absl::ResourceExhaustedError("not enough memory to hash a password");
  return matches && !hash.empty();
}

bool PasswordHasher::IsCheap(std::string_view hash) const {
  // $argon2id$v=19$m=65536,t=3,p=1$…
  long long kib = 0, passes = 0;
  if (std::sscanf(std::string(hash).c_str(), "$argon2id$v=%*d$m=%lld,t=%lld,",
                  &kib, &passes) != 2) {
    return true;
  }
  return kib < cost_.memory_mib * 1024 || passes < cost_.passes;
}

absl::StatusOr<std::string> PasswordHasher::Derive(
    const std::string& password, std::string_view context) const {
  unsigned char salt[crypto_pwhash_SALTBYTES];
  crypto_generichash(salt, sizeof salt,
                     reinterpret_cast<const unsigned char*>(context.data()),
                     context.size(), nullptr, 0);
  std::string derived(32, '\0');
  if (crypto_pwhash(reinterpret_cast<unsigned char*>(derived.data()),
                    derived.size(), password.data(), password.size(), salt,
                    static_cast<unsigned long long>(cost_.passes),
                    static_cast<size_t>(cost_.memory_mib) << 20,
                    crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return absl::ResourceExhaustedError("not enough memory to hash a password");
  }
  return derived;
}

PasswordPool::PasswordPool(int threads, size_t waiting_limit)
    : waiting_limit_(waiting_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

PasswordPool::~PasswordPool() { Drain(); }

bool PasswordPool::Run(std::function<void()> task) {
  {
    std::lock_guard lock(mutex_);
    if (closed_ || waiting_.size() >= waiting_limit_) return false;
    waiting_.push_back(std::move(task));
  }
  changed_.notify_one();
  return true;
}

void PasswordPool::Drain() {
  {
    std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void PasswordPool::Work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    std::function<void()> task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

std::string WeaknessOf(std::string_view password, std::string_view username) {
  const std::string lower = absl::AsciiStrToLower(std::string(password));
  if (std::set<char>(lower.begin(), lower.end()).size() < kFewCharacters ||
      RepeatsItself(lower)) {
    return "repeats itself";
  }
  if (Surprises(lower) < kFewCharacters) {
    return "runs along the alphabet or the keyboard";
  }
  const std::string name = absl::AsciiStrToLower(std::string(username));
  if (name.size() >= kUsernameCounts && lower.find(name) != std::string::npos) {
    return "contains the username";
  }
  if (IsWordsAlone(lower) || IsWordsAlone(Unmasked(lower))) {
    return "is little more than words that are tried first";
  }
  return "";
}

void Wipe(std::string& secret) {
  sodium_memzero(secret.data(), secret.size());
  secret.clear();
}

}  // namespace mtp::order
