"""Streamlit helpers of the pages; nothing here computes a result."""
