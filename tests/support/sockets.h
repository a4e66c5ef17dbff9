#pragma once

#include <sys/socket.h>

#include <string>
#include <utility>

namespace mtp::tests {

// A file descriptor that is closed with its owner.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept
      : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor();

  int number() const { return number_; }
  bool open() const { return number_ >= 0; }

 private:
  int number_ = -1;
};

// Where a stream socket listens: `127.0.0.1:PORT`, or the path of a unix
// socket.
struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;

  const sockaddr* get() const {
    return reinterpret_cast<const sockaddr*>(&bytes);
  }
};

// These end the program, with a word, when they cannot do what they say: they
// are called beside the test's thread, too, where nothing can be asserted.

void Must(bool done, const std::string& what);
Address ParseAddress(const std::string& text);
// `flags` as socket() has them, such as SOCK_NONBLOCK. Children do not inherit
// it, and what is written to it is sent at once.
Descriptor StreamSocket(const Address& address, int flags = 0);
// A unix socket that lies there is replaced.
Descriptor ListenAt(const Address& address, int flags = 0);

}  // namespace mtp::tests
