#include "common/rpc/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "common/base/status.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"

namespace mtp::rpc {
namespace {

constexpr unsigned kRefreshSeconds = 1;

template <auto Free>
struct Freer {
  template <typename T>
  void operator()(T* p) const {
    Free(p);
  }
};
using FilePtr = std::unique_ptr<std::FILE, Freer<std::fclose>>;
using CertificatePtr = std::unique_ptr<X509, Freer<X509_free>>;
using KeyPtr = std::unique_ptr<EVP_PKEY, Freer<EVP_PKEY_free>>;

absl::StatusOr<FilePtr> OpenFile(const std::string& path, const char* what) {
  if (path.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("TLS needs a file with ", what));
  }
  FilePtr file(std::fopen(path.c_str(), "re"));
  if (file == nullptr) {
    return absl::NotFoundError(absl::StrCat("cannot read ", what, " ", path,
                                            ": ", std::strerror(errno)));
  }
  return file;
}

absl::StatusOr<CertificatePtr> ReadCertificate(const std::string& path,
                                               const char* what) {
  ASSIGN_OR_RETURN(const FilePtr file, OpenFile(path, what));
  CertificatePtr certificate(
      PEM_read_X509(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (certificate == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " holds no certificate in PEM"));
  }
  return certificate;
}

absl::StatusOr<KeyPtr> ReadKey(const std::string& path) {
  ASSIGN_OR_RETURN(const FilePtr file, OpenFile(path, "the private key"));
  KeyPtr key(PEM_read_PrivateKey(file.get(), nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (key == nullptr) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " holds no private key in PEM"));
  }
  return key;
}

}  // namespace

absl::Status CheckTlsFiles(const TlsFiles& files, bool needs_certificate) {
  RETURN_IF_ERROR(ReadCertificate(files.ca, "the CA's certificate").status());
  if (!needs_certificate && files.certificate.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(const CertificatePtr certificate,
                   ReadCertificate(files.certificate, "the certificate"));
  ASSIGN_OR_RETURN(const KeyPtr key, ReadKey(files.key));
  const bool match = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  if (!match) {
    return absl::InvalidArgumentError(
        absl::StrCat("the private key ", files.key,
                     " is not that of the certificate ", files.certificate));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> ServerTls(
    const TlsFiles& files) {
  RETURN_IF_ERROR(CheckTlsFiles(files, true));
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key, files.certificate, files.ca, kRefreshSeconds));
  options.watch_root_certs();
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
  return grpc::experimental::TlsServerCredentials(options);
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> ChannelTls(
    const TlsFiles& files) {
  RETURN_IF_ERROR(CheckTlsFiles(files, false));
  grpc::experimental::TlsChannelCredentialsOptions options;
  if (files.certificate.empty()) {
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            files.ca, kRefreshSeconds));
  } else {
    options.set_certificate_provider(
        std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
            files.key, files.certificate, files.ca, kRefreshSeconds));
    options.watch_identity_key_cert_pairs();
  }
  options.watch_root_certs();
  return grpc::experimental::TlsCredentials(options);
}

bool IsLoopback(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const size_t colon = address.rfind(':');
  const std::string host = address.substr(0, colon);
  in_addr parsed;
  return host == "localhost" || host == "[::1]" ||
         (absl::StartsWith(host, "127.") &&
          ::inet_pton(AF_INET, host.c_str(), &parsed) == 1);
}

}  // namespace mtp::rpc
