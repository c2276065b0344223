/*
 * chacha20-poly1305@openssh.com for libssh2, by OpenSSL's vector code.
 *
 * tools/setup puts this file in the place of libssh2's own, which is portable C
 * and took more than half of the processor time of a transfer. The cipher is
 * the one of OpenSSH's PROTOCOL.chacha20poly1305: ChaCha20 with a 64-bit
 * counter and the packet's sequence number as the nonce, one key for the
 * length, one for the rest; the first block of the latter is the Poly1305 key.
 */

#include "libssh2_priv.h" /* first: it decides what the others declare */

#include <openssl/crypto.h>

#include "cipher-chachapoly.h"
#include "misc.h"

static EVP_CIPHER_CTX* chacha_new(const unsigned char* key) {
  EVP_CIPHER_CTX* cipher = EVP_CIPHER_CTX_new();
  if (cipher && EVP_EncryptInit_ex(cipher, EVP_chacha20(), NULL, key, NULL) != 1) {
    EVP_CIPHER_CTX_free(cipher);
    cipher = NULL;
  }
  return cipher;
}

/* Back to the first block of the packet's key stream. OpenSSL's IV is the
   counter, little-endian, and then the nonce. */
static int chacha_rewind(EVP_CIPHER_CTX* cipher, unsigned int seqnr) {
  unsigned char iv[16] = {0};
  unsigned char* nonce = iv + 8;
  _libssh2_store_u64(&nonce, seqnr);
  return EVP_EncryptInit_ex(cipher, NULL, NULL, NULL, iv) == 1 ? 0 : -1;
}

static int chacha_crypt(EVP_CIPHER_CTX* cipher, unsigned char* dest, const unsigned char* src, unsigned int len) {
  int done = 0;
  if (len == 0) return 0;
  return EVP_EncryptUpdate(cipher, dest, &done, src, (int)len) == 1 && done == (int)len ? 0 : -1;
}

static int poly_tag(EVP_MAC_CTX* mac, unsigned char* tag, const unsigned char* key, const unsigned char* data,
                    size_t len) {
  size_t written = 0;
  return EVP_MAC_init(mac, key, POLY1305_KEYLEN, NULL) == 1 && EVP_MAC_update(mac, data, len) == 1 &&
                 EVP_MAC_final(mac, tag, &written, POLY1305_TAGLEN) == 1 && written == POLY1305_TAGLEN
             ? 0
             : -1;
}

int chachapoly_init(struct chachapoly_ctx* ctx, const u_char* key, u_int keylen) {
  EVP_MAC* poly1305;
  if (keylen != 2 * CHACHA_KEYLEN) return LIBSSH2_ERROR_INVAL;
  poly1305 = EVP_MAC_fetch(NULL, "POLY1305", NULL);
  ctx->main = chacha_new(key);
  ctx->header = chacha_new(key + CHACHA_KEYLEN);
  ctx->mac = poly1305 ? EVP_MAC_CTX_new(poly1305) : NULL;
  EVP_MAC_free(poly1305); /* the context keeps it */
  if (ctx->main && ctx->header && ctx->mac) return 0;
  chachapoly_free(ctx);
  return LIBSSH2_ERROR_ALLOC;
}

void chachapoly_free(struct chachapoly_ctx* ctx) {
  EVP_CIPHER_CTX_free(ctx->main);
  EVP_CIPHER_CTX_free(ctx->header);
  EVP_MAC_CTX_free(ctx->mac);
}

/* 'aadlen' bytes under the header's key, then 'len' bytes under the main one,
   then the tag of both as they are on the wire: written when encrypting, else
   verified before anything is decrypted. 'dest' may be 'src'. */
int chachapoly_crypt(struct chachapoly_ctx* ctx, u_int seqnr, u_char* dest, const u_char* src, u_int len, u_int aadlen,
                     int do_encrypt) {
  /* A whole block, so that the main key stream goes on with the second. */
  unsigned char poly_key[CHACHA_BLOCKLEN] = {0};
  unsigned char tag[POLY1305_TAGLEN];
  int r = LIBSSH2_ERROR_INVAL;

  if (chacha_rewind(ctx->main, seqnr) || chacha_crypt(ctx->main, poly_key, poly_key, sizeof(poly_key))) goto out;
  if (!do_encrypt) {
    if (poly_tag(ctx->mac, tag, poly_key, src, (size_t)aadlen + len)) goto out;
    if (CRYPTO_memcmp(tag, src + aadlen + len, sizeof(tag)) != 0) {
      r = LIBSSH2_ERROR_DECRYPT;
      goto out;
    }
  }
  if (chacha_rewind(ctx->header, seqnr) || chacha_crypt(ctx->header, dest, src, aadlen)) goto out;
  if (chacha_crypt(ctx->main, dest + aadlen, src + aadlen, len)) goto out;
  if (do_encrypt && poly_tag(ctx->mac, dest + aadlen + len, poly_key, dest, (size_t)aadlen + len)) goto out;
  r = 0;
out:
  OPENSSL_cleanse(poly_key, sizeof(poly_key));
  return r;
}

/* The packet's length, which is not authenticated yet. */
int chachapoly_get_length(struct chachapoly_ctx* ctx, u_int* plenp, u_int seqnr, const u_char* cp, u_int len) {
  unsigned char length[4];
  if (len < sizeof(length)) return -1;
  if (chacha_rewind(ctx->header, seqnr) || chacha_crypt(ctx->header, length, cp, sizeof(length))) return -1;
  *plenp = _libssh2_ntohu32(length);
  return 0;
}
