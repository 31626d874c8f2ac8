/** Our version; the API server says `v1.36.2+fairlead.VERSION`. */
export const VERSION = "0.1.0";
