"""The desk's words for what the program calls by a name of its own."""

from kiosk.officers import Role

ROLES = {
    Role.OPERATOR: "Operator",
    Role.SECRETARY: "Sekretaris Desa",
    Role.HEAD: "Kepala Desa",
}

#: HTTP status → title and text of its page.
ERRORS = {
    400: ("Permintaan tidak dapat dibaca", "Kembali ke halaman sebelumnya, lalu coba lagi."),
    403: (
        "Formulir ini tidak berlaku lagi",
        "Tidak ada yang diubah. Buka kembali halamannya, lalu isi dan kirim sekali lagi.",
    ),
    404: ("Halaman tidak ada", "Alamat itu tidak ada, atau bukan untuk peran Anda."),
    413: ("Kiriman terlalu besar", "Tidak ada yang disimpan. Kirim yang lebih kecil."),
    421: ("Alamat tidak dikenal", "Buka meja petugas dengan alamat yang diberikan kepada Anda."),
    429: ("Terlalu banyak permintaan", "Tunggu sebentar, lalu coba lagi."),
    500: ("Terjadi kesalahan", "Yang sedang dikerjakan mungkin belum tersimpan. Periksa dulu, lalu coba lagi."),
    503: ("Penyimpanan sedang tidak dapat dipakai", "Tidak ada yang diubah. Coba lagi sebentar, atau panggil teknisi."),
}

WEAK_PASSWORDS = {
    "too-short": "Kata sandi paling sedikit 10 huruf.",
    "too-long": "Kata sandi paling banyak 128 huruf.",
    "username": "Kata sandi tidak boleh memuat nama pengguna.",
    "common": "Kata sandi itu terlalu umum. Pakailah beberapa kata yang tidak berkaitan.",
    "too-few-characters": "Kata sandi memuat terlalu sedikit huruf yang berbeda.",
}
