-- Puts an address's current pair where it belongs. KEYS: 1 the address.
index_pair(KEYS[1])
return 1
