"""Everything in, a page out: Streamlit views over runs, probes and pictures. No numerics here."""
