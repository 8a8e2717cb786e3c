"""What `streamlit run app.py` serves beside the pages: an early start of all that a visitor would wait for, and the document
that every page is in. Streamlit finds it as `app` in app.py."""
