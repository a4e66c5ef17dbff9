#include "common/rpc/key_url.h"

#include <curl/curl.h>

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "common/base/status.h"

namespace mtp::rpc {
namespace {

constexpr size_t kBodyLimit = 1 << 20;
constexpr long kConnectSeconds = 5;
constexpr long kAllSeconds = 10;
constexpr long kOk = 200;
constexpr long kNotModified = 304;

struct Answer {
  TokenKeyUrl::Fetched fetched;
  const std::atomic<bool>* stop = nullptr;
};

size_t TakeBody(char* data, size_t size, size_t count, void* user) {
  std::string& body = static_cast<Answer*>(user)->fetched.body;
  const size_t bytes = size * count;
  if (body.size() + bytes > kBodyLimit) return 0;  // which ends the transfer
  body.append(data, bytes);
  return bytes;
}

size_t TakeHeader(char* data, size_t size, size_t count, void* user) {
  TokenKeyUrl::Fetched& fetched = static_cast<Answer*>(user)->fetched;
  const std::string line(data, size * count);
  const size_t colon = line.find(':');
  if (colon == std::string::npos) return size * count;
  const std::string name = absl::AsciiStrToLower(line.substr(0, colon));
  const std::string value(absl::StripAsciiWhitespace(line.substr(colon + 1)));
  if (name == "etag") {
    fetched.etag = value;
  } else if (name == "cache-control") {
    for (absl::string_view part : absl::StrSplit(value, ',')) {
      part = absl::StripAsciiWhitespace(part);
      int64_t seconds = 0;
      if (absl::StartsWithIgnoreCase(part, "max-age=") &&
          absl::SimpleAtoi(part.substr(8), &seconds)) {
        fetched.max_age = absl::Seconds(seconds);
      }
    }
  }
  return size * count;
}

int Watch(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Answer*>(user)->stop->load() ? 1 : 0;
}

struct Closer {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};

absl::StatusOr<TokenKeyUrl::Fetched> FetchOnce(const std::string& url,
                                               const std::string& ca,
                                               const std::string& etag,
                                               const std::atomic<bool>& stop) {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  const std::unique_ptr<CURL, Closer> curl(curl_easy_init());
  if (ready != CURLE_OK || curl == nullptr) {
    return absl::InternalError("libcurl cannot be used");
  }
  Answer answer{.fetched = {}, .stop = &stop};
  std::unique_ptr<curl_slist, Closer> headers(
      curl_slist_append(nullptr, "Accept: application/json"));
  if (!etag.empty()) {
    headers.reset(curl_slist_append(headers.release(),
                                    ("If-None-Match: " + etag).c_str()));
  }
  char error[CURL_ERROR_SIZE] = "";
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "https");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT, kAllSeconds);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_ERRORBUFFER, error);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, TakeBody);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERFUNCTION, TakeHeader);
  curl_easy_setopt(curl.get(), CURLOPT_HEADERDATA, &answer);
  curl_easy_setopt(curl.get(), CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFOFUNCTION, Watch);
  curl_easy_setopt(curl.get(), CURLOPT_XFERINFODATA, &answer);
  if (!ca.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, ca.c_str());
  const CURLcode code = curl_easy_perform(curl.get());
  if (code != CURLE_OK) {
    return absl::UnavailableError(absl::StrCat(
        url, ": ", error[0] != '\0' ? error : curl_easy_strerror(code)));
  }
  long status = 0;
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == kNotModified && !etag.empty()) {
    answer.fetched.unchanged = true;
    return std::move(answer.fetched);
  }
  if (status != kOk) {
    return absl::UnavailableError(absl::StrCat(url, " answers ", status));
  }
  return std::move(answer.fetched);
}

}  // namespace

TokenKeyUrl::Fetch FetchFrom(std::string url, std::string ca) {
  return [url = std::move(url), ca = std::move(ca)](
             const std::string& etag, const std::atomic<bool>& stop) {
    return FetchOnce(url, ca, etag, stop);
  };
}

std::unique_ptr<TokenKeyUrl> TokenKeyUrl::Open(Options options) {
  std::unique_ptr<TokenKeyUrl> url(new TokenKeyUrl(std::move(options)));
  url->wait_ = url->Ask();
  url->watcher_ = std::thread([u = url.get()] { u->Watch(); });
  return url;
}

TokenKeyUrl::TokenKeyUrl(Options options)
    : options_(std::move(options)),
      backoff_({.first = options_.first_retry, .cap = options_.refresh},
               options_.uniform) {}

TokenKeyUrl::~TokenKeyUrl() {
  stopping_ = true;
  { std::lock_guard lock(mutex_); }  // whoever waits sees it, or has seen it
  changed_.notify_all();
  if (watcher_.joinable()) watcher_.join();
}

void TokenKeyUrl::Missed() const {
  {
    std::lock_guard lock(mutex_);
    if (std::exchange(missed_, true)) return;
  }
  changed_.notify_all();
}

absl::Duration TokenKeyUrl::Ask() {
  absl::StatusOr<Fetched> fetched = options_.fetch(etag_, stopping_);
  absl::Status status = fetched.status();
  if (status.ok() && !fetched->unchanged) {
    absl::StatusOr<TokenKeys> keys = ParseJwks(fetched->body);
    status = keys.status();
    if (status.ok()) {
      Publish(*std::move(keys));
      etag_ = fetched->etag;
    }
  }
  if (options_.listener) options_.listener(status);
  if (!status.ok()) return std::max(options_.first_retry, backoff_.Next());
  backoff_.Reset();
  return std::clamp(fetched->max_age.value_or(options_.refresh),
                    std::min(options_.shortest, options_.refresh),
                    options_.longest);
}

void TokenKeyUrl::Watch() {
  while (!stopping_) {
    {
      std::unique_lock lock(mutex_);
      const absl::Duration least = std::min(options_.least, wait_);
      changed_.wait_for(lock, absl::ToChronoNanoseconds(least),
                        [this] { return stopping_.load(); });
      changed_.wait_for(lock, absl::ToChronoNanoseconds(wait_ - least),
                        [this] { return stopping_ || missed_; });
      if (stopping_) return;
      missed_ = false;
    }
    wait_ = Ask();
  }
}

}  // namespace mtp::rpc
