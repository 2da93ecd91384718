/**
 * The certificate of the lab for wss://, for loopback names only (localhost, 127.0.0.1, ::1), valid from 2020 to 2120.
 * It is self-signed and therefore its own CA: give it to a client that should trust the lab. The private key is public,
 * because it is here; never use it to protect anything.
 */

/** PEM, EC P-256, CN `wstampede lab`. */
export const LAB_CERTIFICATE = `\
-----BEGIN CERTIFICATE-----
MIIBpzCCAUygAwIBAgIRAKFOO/N5kgxhCNEJNiDKUz8wCgYIKoZIzj0EAwIwGDEW
MBQGA1UEAwwNd3N0YW1wZWRlIGxhYjAgFw0yMDAxMDEwMDAwMDBaGA8yMTIwMDEw
MTAwMDAwMFowGDEWMBQGA1UEAwwNd3N0YW1wZWRlIGxhYjBZMBMGByqGSM49AgEG
CCqGSM49AwEHA0IABGXJrjYzqEY38oXHWH9twPeoaljGsRf8uJk//fsGYjBJDxLn
vAuGcuUWj7+pz9acuUPC/FYr5K4L9uBHyJ28F4ujdTBzMA8GA1UdEwEB/wQFMAMB
Af8wLAYDVR0RBCUwI4IJbG9jYWxob3N0hwR/AAABhxAAAAAAAAAAAAAAAAAAAAAB
MBMGA1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBSwfyl3Zd3hpGOooQcj4fts
pg41azAKBggqhkjOPQQDAgNJADBGAiEA0E64iItD6e1eRTNFDdIRtq10Np9btIxc
SmqrdPkFTmoCIQDc510GclOnukgTDu4S3GJyN3lrjPd00J4ynUS2/cWs6Q==
-----END CERTIFICATE-----
`;

/** PEM, PKCS #8. */
export const LAB_PRIVATE_KEY = `\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/xpvbIrqD9Uq+IRU
D0VLNvQl2KN801CqgdOwwF/m+tWhRANCAARlya42M6hGN/KFx1h/bcD3qGpYxrEX
/LiZP/37BmIwSQ8S57wLhnLlFo+/qc/WnLlDwvxWK+SuC/bgR8idvBeL
-----END PRIVATE KEY-----
`;
