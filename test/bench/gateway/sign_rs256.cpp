// sign_rs256 KEY.pem: reads one "header.payload" a line and writes the line with its RS256 signature. The
// harness is plain Python, whose standard library has no RSA.
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

namespace {

std::string base64url(const unsigned char* data, std::size_t size) {
    std::string text(4 * ((size + 2) / 3) + 1, '\0');
    auto* out = static_cast<unsigned char*>(static_cast<void*>(text.data()));
    text.resize(static_cast<std::size_t>(EVP_EncodeBlock(out, data, static_cast<int>(size))));
    while (text.ends_with('=')) text.pop_back();
    for (auto& c : text) c = c == '+' ? '-' : c == '/' ? '_' : c;
    return text;
}

}  // namespace

int main(int count, char** arguments) {
    std::FILE* file = count == 2 ? std::fopen(arguments[1], "r") : nullptr;
    if (file == nullptr) {
        std::fputs("usage: bench_sign_rs256 KEY.pem < unsigned > signed\n", stderr);
        return 2;
    }
    EVP_PKEY* key = PEM_read_PrivateKey(file, nullptr, nullptr, nullptr);
    std::fclose(file);
    const std::unique_ptr<EVP_MD_CTX, void (*)(EVP_MD_CTX*)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
    std::ios::sync_with_stdio(false);
    for (std::string line; std::getline(std::cin, line);) {
        unsigned char signature[1024];
        std::size_t size = sizeof signature;
        const auto* text = static_cast<const unsigned char*>(static_cast<const void*>(line.data()));
        if (key == nullptr || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1 ||
            EVP_DigestSign(context.get(), signature, &size, text, line.size()) != 1) {
            std::fputs("cannot sign\n", stderr);
            return 1;
        }
        std::cout << line << '.' << base64url(signature, size) << '\n';
        EVP_MD_CTX_reset(context.get());
    }
    EVP_PKEY_free(key);
}
